// A sign-out while the refresh is under way: nothing is written back, and what the refresh brought is revoked.

import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";

import * as faults from "../authorization-server/faults.mjs";
import { Clock } from "./clock.mjs";
import { assertError, rejection, rejects } from "./errors.mjs";
import { authorizationServer, coordinator, scene, times } from "./scene.mjs";
import { TestStore } from "./store.mjs";

/** A session with a revocation endpoint, on a store that can be looked into, with a refresh on its way. */
async function refreshing(t, hold, options = {}) {
  const clock = new Clock();
  const store = new TestStore(clock);
  const server = await authorizationServer(t);
  const { tokens, session } = await server.signIn();
  const auth = coordinator(t, server, { clock, store, revocationEndpoint: server.revocationEndpoint, ...options });
  await auth.setTokens(tokens);
  clock.advance(300_000);
  const held = server[hold]();
  const callers = times(100, () => auth.getAccessToken());
  const outcomes = Promise.allSettled(callers);
  await held.arrived;
  return { server, clock, store, auth, tokens, session, held, outcomes };
}

const asked = (server, count) =>
  new Promise((resolve) => {
    const look = () => server.oracle.revoked.length >= count && resolve();
    server.oracle.on("revocation-asked", look);
    look();
  });

/** What the refresh brought, which only the signed-out process has ever seen. */
const obtained = ({ server, tokens }) =>
  server.oracle.issued.filter((token) => token !== tokens.refresh_token && token !== tokens.access_token);

async function assertSignedOut({ server, store, auth, outcomes }) {
  const settled = await outcomes;
  assertError(settled[0].reason, "NoSessionError");
  for (const { reason } of settled) assert.equal(reason, settled[0].reason);
  await rejects(auth.getAccessToken(), "NoSessionError");
  await auth.drainRevocations();
  const contents = JSON.stringify(store.contents);
  for (const token of server.oracle.issued) assert.ok(!contents.includes(token), "no token is left in the store");
  assert.equal(auth.getSnapshot().status, "signed-out");
  assert.equal(server.oracle.presentations, 1);
}

test("signed out before the server looks at the request", async (t) => {
  const all = await refreshing(t, "holdRequest");
  const { server, auth, held, outcomes } = all;
  const signedOut = auth.signOut();
  assertError((await outcomes)[0].reason, "NoSessionError");
  assert.deepEqual(await signedOut, { revoked: true });
  const refused = once(server.oracle, "refused");
  held.release();
  await refused;
  await assertSignedOut(all);
  assert.deepEqual(obtained(all), []);
});

test("N-09: signed out after the server has rotated: the token that nobody has yet is revoked", async (t) => {
  const all = await refreshing(t, "holdReply");
  const { server, auth, tokens, held, outcomes } = all;
  const signedOut = auth.signOut();
  assertError((await outcomes)[0].reason, "NoSessionError");
  await rejects(auth.getAccessToken(), "NoSessionError");
  assert.deepEqual(await signedOut, { revoked: true });
  assert.deepEqual(server.oracle.revoked, [tokens.refresh_token]);
  held.release();
  await asked(server, 2);
  assert.ok(obtained(all).includes(server.oracle.revoked[1]));
  for (const token of server.oracle.issued) {
    assert.equal((await server.isAlive(token)) || (await server.isActive(token)), false);
  }
  await assertSignedOut(all);
});

test("the old token is not served again, even if it had life left", async (t) => {
  const { auth, server } = await scene(t);
  await auth.getAccessToken();
  const signedOut = auth.signOut();
  await rejects(auth.getAccessToken(), "NoSessionError");
  assert.deepEqual(await signedOut, { revoked: false }, "there is no revocation endpoint");
  await rejects(auth.getTokens(), "NoSessionError");
  await rejects(auth.refresh(), "NoSessionError");
  assert.equal(server.oracle.presentations, 0);
});

test("without a revocation endpoint nothing is written back either", async (t) => {
  const { server, store, auth, held, outcomes } = await refreshing(t, "holdReply", { revocationEndpoint: undefined });
  assert.deepEqual(await auth.signOut(), { revoked: false });
  assertError((await outcomes)[0].reason, "NoSessionError");
  const calls = store.calls.length;
  held.release();
  // The exchange that ends late looks at the store: from then on there is a tombstone to respect.
  await store.called(calls + 2);
  await rejects(auth.getAccessToken(), "NoSessionError");
  const contents = JSON.stringify(store.contents);
  for (const token of server.oracle.issued) assert.ok(!contents.includes(token));
});

test("the old token is not served again, whatever was asked while the sign-out was being written", async (t) => {
  for (const listen of [false, true]) {
    const { auth, server } = await scene(t);
    if (listen) auth.subscribe(() => {});
    const signedOut = auth.signOut();
    const during = times(10, () => auth.getAccessToken());
    await Promise.allSettled([signedOut, ...during]);
    for (let round = 0; round < 3; round += 1) {
      await rejects(auth.getAccessToken(), "NoSessionError");
      await new Promise(setImmediate);
    }
    assert.equal(auth.getSnapshot().status, "signed-out");
    assert.equal(server.oracle.presentations, 0);
  }
});

test("a sign-out of another coordinator on the same store, after the server has rotated", async (t) => {
  const { server, clock, store, auth, tokens, held, outcomes } = await refreshing(t, "holdReply");
  const other = coordinator(t, server, { clock, store, revocationEndpoint: server.revocationEndpoint });
  assert.deepEqual(await other.signOut(), { revoked: true });
  held.release();
  for (const { reason } of await outcomes) assertError(reason, "NoSessionError");
  await asked(server, 2);
  assert.ok(obtained({ server, tokens }).includes(server.oracle.revoked[1]));
  for (const one of [auth, other]) await rejects(one.getAccessToken(), "NoSessionError");
});

test("a sign-out does not fail because the revocation does, and the token stays queued", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const auth = coordinator(t, server, { clock, revocationEndpoint: server.revocationEndpoint });
  const { tokens } = await server.signIn();
  await auth.setTokens(tokens);
  server.next(1, faults.unavailable(), "revocation");
  assert.deepEqual(await auth.signOut(), { revoked: false });
  assert.equal(await server.isAlive(tokens.refresh_token), true);
  clock.advance(300_000);
  assert.deepEqual(await auth.drainRevocations(), { revoked: 1, left: 0 });
  assert.equal(await server.isAlive(tokens.refresh_token), false);
  assert.deepEqual(await auth.drainRevocations(), { revoked: 0, left: 0 });
});

test("a queued revocation survives the next sign-in", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const auth = coordinator(t, server, { clock, revocationEndpoint: server.revocationEndpoint });
  const [first, second] = [await server.signIn(), await server.signIn()];
  await auth.setTokens(first.tokens);
  server.next(1, faults.unavailable(), "revocation");
  await auth.signOut();
  await auth.setTokens(second.tokens);
  clock.advance(60_000);
  assert.deepEqual(await auth.drainRevocations(), { revoked: 1, left: 0 });
  assert.deepEqual(server.oracle.revoked, [first.tokens.refresh_token]);
  assert.equal(await server.isAlive(second.tokens.refresh_token), true);
});

test("signed out twice, and with nobody signed in", async (t) => {
  const { auth } = await scene(t);
  await auth.signOut();
  assert.deepEqual(await auth.signOut(), { revoked: false });
  await rejects(auth.getAccessToken(), "NoSessionError");
});

test("a sign-in during the refresh wins over it", async (t) => {
  const { server, auth, held, outcomes } = await refreshing(t, "holdReply");
  const { tokens } = await server.signIn();
  const entered = await auth.setTokens(tokens);
  assert.equal(entered.accessToken, tokens.access_token);
  for (const { reason } of await outcomes) assertError(reason, "NoSessionError");
  held.release();
  await asked(server, 1);
  assert.notEqual(server.oracle.revoked[0], tokens.refresh_token);
  assert.deepEqual(await auth.getTokens(), entered);
  assert.equal(await server.isAlive(tokens.refresh_token), true);
  assert.equal(server.oracle.presentations, 1);
});

test("a sign-out in successor mode ends the session of those tokens, and of those who follow from them", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const auth = coordinator(t, server, { clock, revocationEndpoint: server.revocationEndpoint });
  const { tokens } = await server.signIn();
  const R0 = { refreshToken: tokens.refresh_token };
  const R1 = await auth.renew(R0);
  assert.deepEqual(await auth.signOut(R0), { revoked: true });
  assert.equal(await server.isAlive(R1.refreshToken), false);
  assertError(await rejection(auth.renew(R0)), "NoSessionError");
  assertError(await rejection(auth.renew(R1)), "NoSessionError");
  assert.equal(server.oracle.presentations, 1);
});

test("a sign-out in successor mode during the refresh", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const auth = coordinator(t, server, { clock, revocationEndpoint: server.revocationEndpoint });
  const { tokens } = await server.signIn();
  const R0 = { refreshToken: tokens.refresh_token };
  const held = server.holdReply();
  const renewed = auth.renew(R0);
  await held.arrived;
  const signedOut = auth.signOut(R0);
  await signedOut;
  held.release();
  await rejects(renewed, "NoSessionError");
  await asked(server, 2);
  await rejects(auth.renew(R0), "NoSessionError");
  assert.equal(server.oracle.presentations, 1);
});

test("as the listener of a button, `signOut` and `refresh` take no notice of the event", async (t) => {
  const { auth } = await scene(t);
  const event = { type: "click", preventDefault() {} };
  const { signOut, refresh } = auth;
  assert.equal(typeof (await refresh(event)).accessToken, "string");
  await signOut(event);
  await rejects(auth.getAccessToken(), "NoSessionError");
});
