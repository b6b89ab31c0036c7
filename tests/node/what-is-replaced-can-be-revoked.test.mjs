// Revocation (RFC 7009): only what was asked for, only after the commit, and never the living token.

import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";

import * as faults from "../authorization-server/faults.mjs";
import { strict } from "../authorization-server/personalities.mjs";
import { CLIENT_SECRET, CONFIDENTIAL_CLIENT } from "../authorization-server/provider.mjs";
import { reply, startScriptedServer } from "../authorization-server/scripted.mjs";
import { Clock } from "./clock.mjs";
import { rejects } from "./errors.mjs";
import { LIFETIME, authorizationServer, coordinator, scene } from "./scene.mjs";

/** A server whose refresh does not consume the old token: two scripted endpoints, for `oidc-provider` has no such mode. */
async function keepsOldTokens(t, revocations = [reply("")]) {
  const token = (n) => reply(JSON.stringify({ access_token: `A${n}`, refresh_token: `R${n}`, expires_in: 300 }));
  const issuing = await startScriptedServer(...[1, 2, 3, 4, 5].map(token));
  const revoking = await startScriptedServer(...revocations);
  t.after(() => Promise.all([issuing.close(), revoking.close()]));
  const revoked = () => revoking.requests.map(({ form }) => form.get("token"));
  return { tokenEndpoint: issuing.tokenEndpoint, revocationEndpoint: revoking.tokenEndpoint, issuing, revoking, revoked };
}

async function signedIn(t, server, options = {}) {
  const clock = new Clock();
  const { revocationEndpoint } = server;
  const auth = coordinator(t, server, { clock, retries: 0, revokeReplaced: true, revocationEndpoint, ...options });
  await auth.setTokens({ access_token: "A0", refresh_token: "R0", expires_in: 300 });
  return { clock, auth };
}

test("CL-17: `revokeReplaced`: each replaced token, in order, and never the living one", async (t) => {
  const server = await keepsOldTokens(t);
  const { clock, auth } = await signedIn(t, server);
  for (let round = 1; round <= 3; round += 1) {
    clock.advance(LIFETIME);
    assert.equal(await auth.getAccessToken(), `A${round}`);
    await auth.drainRevocations();
  }
  assert.deepEqual([...new Set(server.revoked())], ["R0", "R1", "R2"]);
  const [{ form }] = server.revoking.requests;
  assert.equal(form.get("token_type_hint"), "refresh_token");
  assert.equal(form.get("client_id"), "web");
});

test("callers do not wait for the revocation, and a failing one costs them nothing", async (t) => {
  const server = await keepsOldTokens(t, [reply("", { status: 503 }), reply("")]);
  const { clock, auth } = await signedIn(t, server);
  clock.advance(LIFETIME);
  assert.equal(await auth.getAccessToken(), "A1");
  assert.equal(auth.getSnapshot().status, "active");
  let drained = await auth.drainRevocations();
  for (let round = 0; drained.left > 0 && round < 5; round += 1) {
    clock.advance(60_000);
    drained = await auth.drainRevocations();
  }
  assert.equal(drained.left, 0);
  assert.ok(server.revoked().length >= 2);
  assert.deepEqual([...new Set(server.revoked())], ["R0"]);
});

test("without `revokeReplaced` nothing is revoked, and the session of a strict server lives", async (t) => {
  const { server, clock } = await scene(t);
  const auth = coordinator(t, server, { clock, revocationEndpoint: server.revocationEndpoint });
  const { tokens } = await server.signIn();
  await auth.setTokens(tokens);
  clock.advance(LIFETIME);
  const { refreshToken } = await auth.getTokens();
  assert.deepEqual(await auth.drainRevocations(), { revoked: 0, left: 0 });
  assert.deepEqual(server.oracle.revoked, []);
  assert.equal(await server.isAlive(refreshToken), true);
});

test("N-10: nothing is revoked before the new token is stored", async (t) => {
  const server = await keepsOldTokens(t);
  const order = [];
  const rows = new Map();
  let version = 0;
  const store = {
    read: (key) => rows.get(key),
    write: (key, value, { ifVersion }) => {
      if ((rows.get(key)?.version ?? null) !== ifVersion) return undefined;
      if (value?.includes('"R1"')) order.push("stored");
      rows.set(key, { value, version: `${(version += 1)}` });
      return `${version}`;
    },
  };
  const { clock, auth } = await signedIn(t, server, {
    store,
    fetch: (input, init) => {
      if (String(input?.url ?? input) === server.revocationEndpoint) order.push("revoked");
      return fetch(input, init);
    },
  });
  clock.advance(LIFETIME);
  await auth.getAccessToken();
  await auth.drainRevocations();
  assert.equal(order[0], "stored");
  assert.ok(order.includes("revoked"));
});

test("a sign-out revokes the newest token, with the client's credentials", async (t) => {
  const [server, clock] = [await authorizationServer(t, strict), new Clock()];
  const client = { clientId: CONFIDENTIAL_CLIENT, clientSecret: CLIENT_SECRET };
  const auth = coordinator(t, server, { ...client, clock, revocationEndpoint: server.revocationEndpoint });
  const { tokens, session } = await server.signIn({ clientId: CONFIDENTIAL_CLIENT });
  await auth.setTokens(tokens);
  clock.advance(LIFETIME);
  const { accessToken, refreshToken } = await auth.getTokens();
  assert.deepEqual(await auth.signOut(), { revoked: true });
  assert.deepEqual(server.oracle.revoked, [refreshToken]);
  assert.equal(server.oracle.counts(session).signOuts, 1);
  assert.equal(await server.isActive(accessToken), false);
});

test("a revocation endpoint that hangs keeps nobody: the sign-out ends in bounded time", async (t) => {
  const { server, clock } = await scene(t);
  const auth = coordinator(t, server, { clock, revocationEndpoint: server.revocationEndpoint, timeout: 4_321 });
  const { tokens } = await server.signIn();
  await auth.setTokens(tokens);
  const held = server.holdRequest("revocation");
  const signedOut = auth.signOut();
  await held.arrived;
  clock.advance(30_000);
  assert.deepEqual(await signedOut, { revoked: false });
  await rejects(auth.getAccessToken(), "NoSessionError");
});

test("MB-20: a server that has forgotten the token answers 200, and that is a success (RFC 7009 section 2.2)", async (t) => {
  const server = await keepsOldTokens(t);
  const { auth } = await signedIn(t, server);
  assert.deepEqual(await auth.signOut(), { revoked: true });
  assert.deepEqual(server.revoked(), ["R0"]);
});

test("CL-21: a failed revocation is told as an event", async (t) => {
  const { server, clock } = await scene(t);
  const auth = coordinator(t, server, { clock, revocationEndpoint: server.revocationEndpoint });
  await auth.setTokens((await server.signIn()).tokens);
  server.next(1, faults.unavailable(), "revocation");
  const events = [];
  auth.subscribe((event) => event && events.push(event.type));
  await auth.signOut();
  await new Promise(setImmediate);
  assert.ok(events.includes("revocation-failed"), String(events));
});

test("the revoked successor of a lost race is the server's business no more", async (t) => {
  const { server, clock, tokens } = await scene(t);
  const auth = coordinator(t, server, { clock, revocationEndpoint: server.revocationEndpoint, session: "late" });
  await auth.setTokens(tokens);
  clock.advance(LIFETIME);
  const held = server.holdReply();
  const caller = auth.getAccessToken();
  await held.arrived;
  const asked = once(server.oracle, "revocation-asked");
  const second = await server.signIn();
  await auth.setTokens(second.tokens);
  held.release();
  await rejects(caller, "NoSessionError");
  const [{ token }] = await asked;
  assert.ok(server.oracle.issued.includes(token));
  assert.notEqual(token, tokens.refresh_token);
  assert.notEqual(token, second.tokens.refresh_token);
});
