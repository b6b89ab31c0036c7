// MetaMask's shape: the refresh consumes nothing, the rotation is a call of its own, and the old pair is revoked after the new one
// is stored.

import assert from "node:assert/strict";
import test from "node:test";

import { answer, dropBefore, oauthError, unavailable } from "../authorization-server/faults.mjs";
import { rejects } from "../node/errors.mjs";
import { TestStore } from "../node/store.mjs";
import { Clock } from "../node/clock.mjs";
import { pack, refreshAndRotate, rotate, twoSteps, unpack } from "./two-steps.mjs";

const nothingQueued = { revoked: 0, left: 0 };

/** What the server was asked to revoke, and what of the queue is left. */
async function drained({ server, auth }) {
  const { left } = await auth.drainRevocations();
  return { left, asked: server.pairs.asked.pairRevocation };
}

test("MM-13 MM-15: a refresh brings new tokens and leaves the pair as it is", async (t) => {
  const { server, auth, pair } = await twoSteps(t);
  const before = await auth.getTokens();
  const after = await auth.refresh();
  assert.notEqual(after.accessToken, before.accessToken);
  assert.equal(await server.isActive(after.accessToken), true);
  assert.deepEqual(unpack(after.refreshToken), pair);
  assert.deepEqual(await auth.drainRevocations(), nothingQueued);
  assert.deepEqual(server.pairs.asked, { renewal: [], pairRevocation: [] });
});

test("MM-01 MM-19 MM-24pr MB-09 MB-23: each step presents its half of the stored pair", async (t) => {
  const { server, auth, pair, seen } = await twoSteps(t);
  await refreshAndRotate(auth);
  assert.deepEqual(seen.map(({ refreshToken }) => unpack(refreshToken)), [pair, pair]);
  assert.deepEqual(server.pairs.asked.renewal, [pair.revokeToken]);
});

test("MM-17 MM-18 MM-20 MB-14: a rotation replaces both tokens, and exactly the old pair is revoked", async (t) => {
  const { server, auth, pair } = await twoSteps(t);
  const { refreshToken, accessToken } = await refreshAndRotate(auth);
  const next = unpack(refreshToken);
  assert.notEqual(next.refreshToken, pair.refreshToken);
  assert.notEqual(next.revokeToken, pair.revokeToken);
  const { left, asked } = await drained({ server, auth });
  assert.deepEqual({ left, asked }, { left: 0, asked: [pair.revokeToken] });
  assert.equal(await server.isAlive(pair.refreshToken), false);
  assert.equal(await server.isAlive(next.refreshToken), true);
  assert.equal(await server.isActive(accessToken), true);
  assert.equal(await server.isActive((await auth.refresh()).accessToken), true, "and the new one refreshes");
});

test("MM-14: the rotation comes after the refresh was stored, and the revocation after the new pair was", async (t) => {
  const store = new TestStore(new Clock());
  const order = [];
  const scene = await twoSteps(t, { store });
  const { server, auth, pair } = scene;
  const first = (await auth.getTokens()).accessToken;
  store.instead.write = async (honestly, _key, value) => {
    const written = await honestly();
    const record = JSON.parse(value);
    if (!value.includes(first)) order.push("refresh stored");
    if (record.refreshToken !== pack(pair)) order.push("rotation stored");
    return written;
  };
  const answering = (name) => async (_context, next) => (order.push(name), next());
  server.next(1, answering("rotation asked"), "renewal");
  server.next(1, answering("revocation asked"), "pairRevocation");
  await refreshAndRotate(auth);
  await auth.drainRevocations();
  const [refreshed, asked, rotated, revoked] = ["refresh stored", "rotation asked", "rotation stored", "revocation asked"].map((step) => order.indexOf(step));
  assert.ok(0 <= refreshed && refreshed < asked && asked < rotated && rotated < revoked, String(order));
});

test("MM-16 MB-11 MB-12 MB-13 MB-19 MB-29: a rotation that fails rejects by itself; the refresh before it resolves, and the pair stays", async (t) => {
  const faults = { 401: answer(401, ""), 403: answer(403, ""), network: dropBefore(), "no JSON": answer(200, "<html>"), "no tokens": answer(200, {}) };
  for (const [name, fault] of Object.entries(faults)) {
    const { server, auth, pair } = await twoSteps(t);
    server.next(1, fault, "renewal");
    const told = [];
    const { accessToken, refreshToken } = await refreshAndRotate(auth, (error) => told.push(error));
    assert.equal(told.length, 1, name);
    assert.equal(told[0].name, "TransientError", name);
    if (name === "network") assert.ok(told[0].cause, "the network's own error is behind it");
    else if (name === "401" || name === "403") assert.equal(told[0].status, Number(name));
    assert.equal(await server.isActive(accessToken), true, name);
    assert.deepEqual(unpack(refreshToken), pair, name);
    assert.deepEqual(await auth.drainRevocations(), nothingQueued, name);
  }
});

test("MM-22: a rotation that brings nothing changes nothing, and is no failure", async (t) => {
  const { server, auth, pair } = await twoSteps(t);
  server.next(1, answer(200, { refreshToken: null, revokeToken: null }), "renewal");
  await rotate(auth);
  assert.deepEqual(unpack((await auth.getTokens()).refreshToken), pair);
  assert.deepEqual(await auth.drainRevocations(), nothingQueued);
});

test("MB-27: members nobody knows do no harm to a rotation", async (t) => {
  const { server, auth } = await twoSteps(t);
  server.next(1, answer(200, { refreshToken: "R9", revokeToken: "V9", note: "hello", __proto__: null }), "renewal");
  await rotate(auth);
  assert.deepEqual(unpack((await auth.getTokens()).refreshToken), { refreshToken: "R9", revokeToken: "V9" });
});

test("MM-21: with nobody signed in there is nothing to rotate", async (t) => {
  const { server, auth, seen } = await twoSteps(t);
  await auth.signOut();
  await rejects(rotate(auth), "NoSessionError");
  assert.deepEqual([seen, server.pairs.asked.renewal], [[], []]);
});

test("MM-25pr: a pair without its revoke token cannot be rotated, and still refreshes", async (t) => {
  const { server, clock, auth, pair } = await twoSteps(t);
  await auth.setTokens({ refresh_token: pack({ ...pair, revokeToken: "" }), access_token: "A", expires_in: 300 });
  const { retryAt } = await rejects(rotate(auth), "TransientError", { status: 401 });
  assert.deepEqual(await auth.drainRevocations(), nothingQueued);
  assert.equal(await server.isAlive(pair.refreshToken), true);
  clock.advance(retryAt - clock.now());
  assert.equal(await server.isActive((await auth.refresh()).accessToken), true);
});

test("MM-23 MM-26pr N-10: while the new pair cannot be stored, the old one is not queued; afterwards it is", async (t) => {
  const clock = new Clock();
  const store = new TestStore(clock);
  const { server, auth, pair } = await twoSteps(t, { store, clock });
  const events = [];
  auth.subscribe((event) => event && events.push(event.type));
  let away = true;
  store.instead.write = (honestly, _key, value) => {
    if (away && JSON.parse(value).refreshToken !== pack(pair)) throw new Error("disk full");
    return honestly();
  };
  const rotated = rotate(auth);
  const next = unpack((await rotated).refreshToken);
  assert.notEqual(next.refreshToken, pair.refreshToken, "what was obtained is not lost");
  assert.deepEqual(server.pairs.asked.pairRevocation, []);
  assert.equal(Object.values(store.contents).some((value) => value.includes('"revoke"')), false);
  away = false;
  const stored = store.called(store.calls.length + 2);
  clock.advance(10_000);
  await stored;
  while ((await auth.drainRevocations()).left > 0) clock.advance(60_000);
  assert.equal(await server.isAlive(next.refreshToken), true);
  assert.deepEqual([...new Set(server.pairs.asked.pairRevocation)], [pair.revokeToken]);
  assert.ok(events.includes("store-failed"), String(events));
});

test("MM-27 MM-28: two pairs in the queue are each revoked by their own token; an empty queue asks nobody", async (t) => {
  const { server, clock, auth, pair } = await twoSteps(t);
  assert.deepEqual(await auth.drainRevocations(), nothingQueued);
  assert.deepEqual(server.pairs.asked.pairRevocation, []);
  server.next(Infinity, unavailable(), "pairRevocation");
  const second = unpack((await refreshAndRotate(auth)).refreshToken);
  await auth.drainRevocations();
  await refreshAndRotate(auth);
  assert.equal((await auth.drainRevocations()).left, 2);
  server.heal();
  clock.advance(300_000);
  assert.equal((await auth.drainRevocations()).left, 0);
  assert.deepEqual(server.pairs.asked.pairRevocation.toSorted(), [pair, second].map(({ revokeToken }) => revokeToken).toSorted());
});

test("MM-29 MB-16 MB-17 MB-30: one of two revocations fails: it alone stays queued, and nothing rejects", async (t) => {
  for (const fault of [dropBefore(), oauthError("invalid_client", 401), answer(404, "")]) {
    const { server, clock, auth, pair } = await twoSteps(t);
    server.next(Infinity, unavailable(), "pairRevocation");
    const second = unpack((await refreshAndRotate(auth)).refreshToken);
    await refreshAndRotate(auth);
    await auth.drainRevocations();
    server.heal();
    server.next(1, fault, "pairRevocation");
    clock.advance(300_000);
    assert.deepEqual(await auth.drainRevocations(), { revoked: 1, left: 1 });
    const alive = await Promise.all([pair, second].map(({ refreshToken }) => server.isAlive(refreshToken)));
    assert.equal(alive.filter(Boolean).length, 1);
    clock.advance(300_000);
    assert.deepEqual(await auth.drainRevocations(), { revoked: 1, left: 0 });
  }
});
