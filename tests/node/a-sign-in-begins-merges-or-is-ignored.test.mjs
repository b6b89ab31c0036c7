// `setTokens`: a spent token is ignored, the same one merges, anything else begins a new session.

import assert from "node:assert/strict";
import test from "node:test";

import { oauthError } from "../authorization-server/faults.mjs";
import { nonRotating } from "../authorization-server/personalities.mjs";
import { Clock } from "./clock.mjs";
import { rejection, rejects } from "./errors.mjs";
import { LIFETIME, authorizationServer, coordinator, scene } from "./scene.mjs";
import { TestStore } from "./store.mjs";

async function signedOut(t, options) {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  return { server, clock, auth: coordinator(t, server, { clock, ...options }) };
}

test("the wire shape of a token response", async (t) => {
  const { server, clock, auth } = await signedOut(t);
  const { tokens } = await server.signIn();
  const set = await auth.setTokens({ ...tokens, tenant: "acme" });
  assert.deepEqual({ ...set, extra: { ...set.extra } }, {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token,
    expiresAt: clock.now() + LIFETIME,
    tokenType: "Bearer",
    scope: "openid offline_access",
    extra: { tenant: "acme" },
  });
  assert.deepEqual(await auth.getTokens(), set);
});

test("the shape of a token set", async (t) => {
  const { server, clock, auth } = await signedOut(t);
  const { tokens } = await server.signIn();
  const expiresAt = clock.now() + 60_000;
  const set = await auth.setTokens({ accessToken: tokens.access_token, refreshToken: tokens.refresh_token, expiresAt });
  assert.equal(set.expiresAt, expiresAt);
  assert.equal(await auth.getAccessToken(), tokens.access_token);
  clock.advance(60_000);
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
});

test("what `getTokens` gave can be handed to `setTokens`", async (t) => {
  const { server, auth, clock } = await scene(t);
  const elsewhere = coordinator(t, server, { clock });
  assert.deepEqual(await elsewhere.setTokens(await auth.getTokens()), await auth.getTokens());
});

test("a refresh token alone: the access token is fetched when it is needed", async (t) => {
  const { server, auth } = await signedOut(t);
  const { tokens } = await server.signIn();
  await auth.setTokens({ refresh_token: tokens.refresh_token });
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
  assert.equal(server.oracle.presentations, 1);
});

test("an access token alone: good until it ends", async (t) => {
  const { server, clock, auth } = await signedOut(t);
  await auth.setTokens({ access_token: "A", expires_in: 60 });
  assert.equal(await auth.getAccessToken(), "A");
  clock.advance(60_000);
  const error = await rejection(auth.getAccessToken());
  assert.equal(error.signInRequired, true);
  assert.equal(server.oracle.presentations, 0);
});

const refused = {
  "an `expiresAt` that looks like seconds": { accessToken: "A", expiresAt: 1_900_000_000 },
  "an `expires_at` that looks like seconds, in camel case": { accessToken: "A", refreshToken: "R", expiresAt: Math.floor(Date.now() / 1000) },
  nothing: undefined,
  null: null,
  "a string": "A",
  "an array": ["A"],
  "an empty object": {},
  "an access token that is a number": { accessToken: 5 },
  "an empty refresh token": { refreshToken: "" },
  "a lifetime that is no number": { accessToken: "A", expiresIn: "soon" },
  "a lifetime of NaN": { accessToken: "A", expiresIn: NaN },
  "tokens in the prototype": Object.create({ accessToken: "A" }),
  "an object whose members throw": new Proxy({}, { get: () => raise(), ownKeys: () => raise() }),
};
for (const [name, tokens] of Object.entries(refused)) {
  test(`refused: ${name}`, async (t) => {
    const { auth, before } = await scene(t);
    const [outcome] = await Promise.allSettled([new Promise((resolve) => resolve(auth.setTokens(tokens)))]);
    assert.equal(outcome.status, "rejected");
    assert.ok(["ConfigurationError", "TypeError"].includes(outcome.reason.name), String(outcome.reason));
    assert.equal(await auth.getAccessToken(), before.accessToken, "and the session that is there goes on");
  });
}

test("a refresh token that this session has spent is ignored", async (t) => {
  const { server, auth, tokens, expire } = await scene(t);
  const generations = [];
  for (let round = 0; round < 4; round += 1) {
    expire();
    generations.push(await auth.getTokens());
  }
  const current = generations.at(-1);
  for (const old of [tokens, ...generations.slice(0, -1)]) assert.deepEqual(await auth.setTokens(old), current);
  assert.equal(auth.getSnapshot().generation, 4);
  assert.equal(server.oracle.presentations, 4);
  assert.equal(await server.isAlive(current.refreshToken), true);
});

test("the same refresh token merges a newer access token", async (t) => {
  const { clock, server, auth, tokens } = await scene(t);
  clock.advance(100_000);
  const merged = await auth.setTokens({ access_token: "newer", refresh_token: tokens.refresh_token, expires_in: 300 });
  assert.equal(merged.accessToken, "newer");
  assert.equal(merged.expiresAt, clock.now() + 300_000);
  assert.equal(await auth.getAccessToken(), "newer");
  assert.equal(auth.getSnapshot().status, "active");
  assert.equal(server.oracle.presentations, 0);
});

test("the same refresh token with an older access token changes nothing", async (t) => {
  const { clock, auth, tokens, before } = await scene(t);
  const older = { accessToken: "older", refreshToken: tokens.refresh_token, expiresAt: clock.now() + 30_000 };
  assert.equal((await auth.setTokens(older)).accessToken, before.accessToken);
});

test("another refresh token begins a new session", async (t) => {
  const { server, auth, tokens, expire } = await scene(t);
  const second = await server.signIn();
  await auth.setTokens(second.tokens);
  assert.equal(await auth.getAccessToken(), second.tokens.access_token);
  expire();
  await auth.getTokens();
  assert.equal(server.oracle.counts(second.session).rotations, 1);
  assert.equal(await server.isAlive(tokens.refresh_token), true, "of the first one nothing was presented");
});

test("MM-13pr N-08: a new session wins over an exchange in flight, before and after its rotation", async (t) => {
  for (const place of ["holdRequest", "holdReply"]) {
    const { server, auth, expire, session } = await scene(t);
    const held = server[place]();
    expire();
    const old = auth.getAccessToken();
    await held.arrived;
    const second = await server.signIn();
    const entered = await auth.setTokens(second.tokens);
    await rejects(old, "NoSessionError");
    const granted = place === "holdRequest" && new Promise((resolve) => server.oracle.once("granted", resolve));
    held.release();
    await granted;
    assert.deepEqual(await auth.getTokens(), entered);
    expire();
    assert.notEqual(await auth.getAccessToken(), entered.accessToken);
    assert.equal(server.oracle.counts(session).rotations, 1);
    assert.equal(server.oracle.counts(second.session).rotations, 1);
  }
});

test("whoever asks right after the sign-in, without waiting for it, gets the new session", async (t) => {
  const { server, auth, expire } = await scene(t);
  expire();
  const second = await server.signIn();
  const entering = auth.setTokens(second.tokens);
  const token = auth.getAccessToken();
  await entering;
  assert.equal(await token, second.tokens.access_token);
  assert.equal(server.oracle.presentations, 0);
});

test("a spent token that comes in during the refresh does not disturb it", async (t) => {
  const { server, auth, tokens, expire, counts } = await scene(t);
  expire();
  const R1 = await auth.getTokens();
  expire();
  const held = server.holdReply();
  const caller = auth.getTokens();
  await held.arrived;
  const set = auth.setTokens(tokens);
  held.release();
  await set;
  const R2 = await caller;
  assert.notEqual(R2.refreshToken, R1.refreshToken);
  assert.deepEqual(await auth.getTokens(), R2);
  assert.equal(counts().rotations, 2);
  assert.equal(server.oracle.presentations, 2);
});

test("after a revocation and after a sign-out a sign-in is a fresh start", async (t) => {
  const { server, auth, expire } = await scene(t, { retries: 0 });
  expire();
  server.next(1, oauthError("invalid_grant"));
  await rejects(auth.getTokens(), "RevokedError");
  await auth.setTokens((await server.signIn()).tokens);
  assert.equal(auth.getSnapshot().status, "active");
  assert.equal(auth.getSnapshot().error, undefined);
  await auth.signOut();
  await auth.setTokens((await server.signIn()).tokens);
  expire();
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
});

test("the tokens a user signed out with do not sign in again on a server that has revoked them", async (t) => {
  const { server, clock, tokens } = await scene(t);
  const auth = coordinator(t, server, { clock, revocationEndpoint: server.revocationEndpoint, session: "second" });
  await auth.setTokens(tokens);
  await auth.signOut();
  await auth.setTokens({ ...tokens, expires_in: 1 }).catch(() => {});
  clock.advance(1_000);
  assert.equal((await rejection(auth.getAccessToken())).signInRequired, true);
});

test("a server that does not rotate", async (t) => {
  const { auth, tokens, expire, server } = await scene(t, { personality: nonRotating });
  expire();
  const renewed = await auth.getTokens();
  assert.equal(renewed.refreshToken, tokens.refresh_token);
  assert.deepEqual(await auth.setTokens(renewed), renewed);
  expire();
  assert.notEqual((await auth.getTokens()).accessToken, renewed.accessToken);
  assert.equal(server.oracle.presentations, 2);
});

function raise() {
  throw new Error("a getter threw");
}

test("a sign-in whose write seemed to fail is not repeated over the sign-out that came between", async (t) => {
  const { server, clock } = await signedOut(t);
  const store = new TestStore(clock);
  const [here, there] = [coordinator(t, server, { clock, store }), coordinator(t, server, { clock, store })];
  const { tokens } = await server.signIn();
  store.instead.write = async (honest) => {
    delete store.instead.write;
    honest();
    await there.signOut();
    throw new Error("the connection was lost after the write");
  };
  await rejects(here.setTokens(tokens), "NoSessionError");
  await rejects(here.getAccessToken(), "NoSessionError");
  await rejects(there.getAccessToken(), "NoSessionError");
  assert.equal(server.oracle.presentations, 0);
});

test("a refresh token that waits for its revocation begins no session", async (t) => {
  const server = await authorizationServer(t);
  const clock = new Clock();
  const auth = coordinator(t, server, { clock, revocationEndpoint: server.revocationEndpoint, fetch: offline });
  const { tokens } = await server.signIn();
  await auth.setTokens(tokens);
  assert.deepEqual(await auth.signOut(), { revoked: false });
  await rejects(auth.setTokens(tokens), "NoSessionError");
  const { tokens: others } = await server.signIn();
  assert.equal((await auth.setTokens(others)).accessToken, others.access_token);
});

test("what the last session was refused for says nothing of the new one", async (t) => {
  const { server, auth, clock } = await scene(t);
  clock.advance(LIFETIME);
  server.next(1, oauthError("interaction_required"));
  await rejects(auth.getAccessToken(), "InteractionRequiredError");
  const { tokens } = await server.signIn();
  await auth.setTokens({ refresh_token: tokens.refresh_token });
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
});

for (const [what, given] of Object.entries({
  "a promise": Promise.resolve({ access_token: "A", expires_in: 60 }),
  "a Response": new Response("{}"),
  "a refusal": { error: "invalid_grant" },
})) {
  test(`${what} in the place of tokens is named`, async (t) => {
    const { auth } = await signedOut(t);
    const error = await rejects(auth.setTokens(given), "ConfigurationError", { code: "wrong-argument" });
    assert.match(error.message, /promise|Response|refusal/);
  });
}

test("a store that hangs is not reported as a refresh that takes long", async (t) => {
  const clock = new Clock();
  const store = new TestStore(clock);
  const { auth } = await signedOut(t, { store, storeTimeout: 50, clock });
  clock.skips = 50;
  store.instead = { read: () => new Promise(() => {}), write: () => new Promise(() => {}) };
  await rejects(auth.setTokens({ access_token: "A", expires_in: 60 }), "StoreError", { code: "store-timeout" });
  await rejects(auth.signOut(), "StoreError", { code: "store-timeout" });
});

function offline() {
  throw new TypeError("fetch failed");
}
