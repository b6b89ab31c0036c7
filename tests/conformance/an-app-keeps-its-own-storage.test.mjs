// A store made of `load`, `save` and `clear`: the app's format stays, and what others write into it is respected.

import assert from "node:assert/strict";
import test from "node:test";

import * as faults from "../authorization-server/faults.mjs";
import { rejects } from "../node/errors.mjs";
import { times } from "../node/scene.mjs";
import { Keyring, LIFETIME, tool } from "./keyring.mjs";

/** What a sibling stores after a refresh of its own: the token that is there rotated, on the real server. */
async function rotatedElsewhere({ server, clock, tokens }, life = LIFETIME) {
  const form = { grant_type: "refresh_token", client_id: "web", refresh_token: tokens.refresh_token };
  const reply = await fetch(server.tokenEndpoint, { method: "POST", body: new URLSearchParams(form) });
  const { access_token, refresh_token } = await reply.json();
  return { accessToken: access_token, refreshToken: refresh_token, expiresAt: clock.now() + life, tokenType: "Bearer" };
}

test("CL-03 MB-31: what was stored is read back as it was", async (t) => {
  const { auth, keyring, clock, start, server } = await tool(t);
  const expiresAt = clock.now() + LIFETIME;
  const tokens = { accessToken: "a2", refreshToken: "r2", expiresAt, tokenType: "Bearer" };
  await auth.setTokens(tokens);
  assert.deepEqual(keyring.session, tokens);
  const { extra: _extra, ...read } = await start().getTokens();
  assert.deepEqual(read, tokens);
  assert.equal(server.oracle.presentations, 0);
});

test("CL-04: 60 s left of an opaque token: returned, and no request", async (t) => {
  const { auth, keyring, tokens, server } = await tool(t, { left: 60_000 });
  assert.equal(await auth.getAccessToken(), tokens.access_token);
  assert.equal(server.oracle.presentations, 0);
  assert.ok(!keyring.calls.includes("save"));
});

test("CL-05 IM-C8: expired: one request with the old token, and the new session is stored with its new end before anybody has it", async (t) => {
  const { auth, clock, keyring, tokens, server } = await tool(t);
  const storedWhenServed = await Promise.all(times(50, () => auth.getAccessToken().then((token) => [token, keyring.session.accessToken])));
  for (const [served, stored] of storedWhenServed) assert.equal(served, stored);
  assert.notEqual(keyring.session.refreshToken, tokens.refresh_token);
  assert.equal(await server.isAlive(keyring.session.refreshToken), true);
  assert.equal(keyring.session.expiresAt, clock.now() + LIFETIME);
  assert.equal(server.oracle.presentations, 1);
  assert.deepEqual(keyring.calls.filter((call) => call !== "load"), ["save"], "a claim is none of the app's business");
});

test("CL-06: refused, and a sibling stores a newer session a moment later: its access token, and its session stays", async (t) => {
  const all = await tool(t, { lag: 250, left: 0 });
  const { auth, clock, keyring, server } = all;
  const newer = await rotatedElsewhere(all);
  server.next(1, faults.oauthError("invalid_grant"));
  const caller = auth.getAccessToken();
  await clock.asleep((ms) => ms > 200 && ms <= 250);
  keyring.session = newer;
  clock.advance(250);
  assert.equal(await caller, newer.accessToken);
  assert.deepEqual(keyring.session, newer);
  assert.equal(server.oracle.presentations, 2, "the sibling's and ours");
});

test("CL-07 IM-A3: refused, and nobody stores anything: the session is over, and the storage is cleared", async (t) => {
  const { auth, keyring, server, start } = await tool(t);
  server.next(1, faults.oauthError("invalid_grant"));
  const events = [];
  auth.subscribe((event) => event && events.push(event.type));
  await rejects(auth.getAccessToken(), "RevokedError", { oauthError: "invalid_grant" });
  assert.equal(keyring.text, undefined);
  assert.ok(events.includes("revoked"));
  assert.equal(server.oracle.presentations, 1);
  await rejects(start().getAccessToken(), "NoSessionError");
});

test("CL-08 CL-09: 429 and invalid_client are errors of their own, and the storage is untouched", async (t) => {
  for (const [fault, name, fields] of [
    [faults.tooManyRequests(30), "TransientError", { status: 429 }],
    [faults.oauthError("invalid_client", 401), "ConfigurationError", { status: 401, oauthError: "invalid_client" }],
  ]) {
    const { auth, keyring, server } = await tool(t);
    const before = keyring.text;
    server.next(1, fault);
    await rejects(auth.getAccessToken(), name, fields);
    assert.equal(keyring.text, before);
  }
});

test("N-04: the storage changes between the refusal and the clearing: what somebody else has stored stays", async (t) => {
  const all = await tool(t);
  const { auth, keyring, server } = all;
  const newer = await rotatedElsewhere(all);
  server.next(1, async (context, next) => {
    await faults.oauthError("invalid_grant")(context, next);
    keyring.session = newer;
  });
  assert.equal(await auth.getAccessToken(), newer.accessToken);
  assert.deepEqual(keyring.session, newer);
  assert.ok(!keyring.calls.includes("clear"));
});

test("N-05: the newer session in the storage has an expired access token: its own refresh token is presented, and nothing is deleted", async (t) => {
  const all = await tool(t);
  const { auth, keyring, server } = all;
  const newer = await rotatedElsewhere(all, -1);
  server.next(1, async (context, next) => {
    await faults.oauthError("invalid_grant")(context, next);
    keyring.session = newer;
  });
  const token = await auth.getAccessToken();
  assert.equal(await server.isActive(token), true);
  assert.notEqual(token, newer.accessToken);
  assert.equal(server.oracle.counts(all.session).rotations, 2);
  assert.equal(await server.isAlive(keyring.session.refreshToken), true);
  assert.ok(!keyring.calls.includes("clear"));
});

test("MM-60: a newer access token that somebody else has stored is taken over", async (t) => {
  const { auth, keyring, clock, server } = await tool(t);
  keyring.session = { ...keyring.session, accessToken: "newer", expiresAt: clock.now() + LIFETIME };
  assert.equal(await auth.getAccessToken(), "newer");
  assert.equal(server.oracle.presentations, 0);
  clock.advance(LIFETIME);
  keyring.session = { ...keyring.session, accessToken: "newest", expiresAt: clock.now() + LIFETIME };
  assert.equal(await auth.getAccessToken(), "newest");
});

test("N-23: half a text, as during somebody else's write: an error of the store, and the session is there as soon as it is whole", async (t) => {
  const { auth, keyring, server } = await tool(t);
  const { text } = keyring;
  keyring.text = text.slice(0, 40);
  await rejects(auth.getAccessToken(), "StoreError", { spent: "no" });
  assert.equal(server.oracle.presentations, 0);
  keyring.text = text;
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
});

test("N-23 N-06: a storage that returns something old after a save: noticed, told, and never taken for a revocation", async (t) => {
  const { auth, clock, keyring, server } = await tool(t);
  const stale = keyring.session;
  const failures = [];
  auth.subscribe((event) => event?.type === "store-failed" && failures.push(event.operation));
  clock.skips = 4_900;
  let looks = 0;
  const healed = new Promise((resolve) => {
    keyring.instead.load = (honest) => {
      if (keyring.calls.includes("save")) looks += 1;
      if (looks > 6) resolve();
      return looks > 6 ? honest() : stale;
    };
  });
  const token = await auth.getAccessToken();
  assert.ok(looks <= 6, "callers do not wait for the storage");
  await healed;
  keyring.instead.load = undefined;
  assert.equal(await auth.getAccessToken(), token);
  assert.equal(keyring.session.accessToken, token);
  assert.equal(server.oracle.presentations, 1);
  clock.advance(LIFETIME);
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
  assert.ok(failures.includes("write"), String(failures));
});

test("N-06: a save that fails after the rotation: callers have the tokens, the failure is told, and the next save stores them", async (t) => {
  const { auth, clock, keyring, server, session } = await tool(t);
  const told = new Promise((resolve) => auth.subscribe((event) => event?.type === "store-failed" && resolve(event)));
  clock.skips = 4_900;
  let attempts = 0;
  const saved = new Promise((resolve) => {
    keyring.instead.save = (honest) => {
      attempts += 1;
      if (attempts < 4) throw new Error("disk full");
      resolve(honest());
    };
  });
  const served = auth.getAccessToken().then((token) => ({ token, attempts }));
  await saved;
  const { token, attempts: before } = await served;
  assert.ok(before < 4, "callers do not wait for the storage");
  assert.equal(await server.isActive(token), true);
  assert.equal(keyring.session.accessToken, token);
  assert.equal((await told).operation, "write");
  assert.equal(auth.getSnapshot().status, "active");
  assert.equal(server.oracle.counts(session).reuses, 0);
});

test("MM-102: an app says which tokens are stored: here the refresh token alone, and the rest stays in memory", async (t) => {
  const keyring = new Keyring();
  keyring.save = ({ refreshToken }) => void (keyring.session = { refreshToken });
  const { auth, server, start } = await tool(t, { keyring });
  const events = [];
  auth.subscribe((event) => event && events.push(event.type));
  const { accessToken, refreshToken } = await auth.getTokens();
  assert.deepEqual(keyring.session, { refreshToken });
  assert.equal(await auth.getAccessToken(), accessToken);
  assert.equal(server.oracle.presentations, 1);
  assert.deepEqual(events, ["refreshed"], "and no failure of the store");
  assert.equal(await server.isActive(await start().getAccessToken()), true, "the next process begins with a refresh");
  assert.equal(server.oracle.presentations, 2);
});
