// Several coordinators in one process, given one store: they are tabs of one session in all but the walls between them.

import assert from "node:assert/strict";
import test from "node:test";

import { memoryStore } from "refresh-coordinator";

import { assertError, rejection } from "./errors.mjs";
import { coordinator, scene, times } from "./scene.mjs";

const CALLERS = 5_000;

test("N-02: two coordinators, one rotation, one promise per coordinator", async (t) => {
  const store = memoryStore();
  const { server, clock, auth, expire, counts } = await scene(t, { store });
  const other = coordinator(t, server, { clock, store });
  await other.getAccessToken();
  expire();
  const [mine, theirs] = [auth, other].map((one) => times(CALLERS, () => one.getAccessToken()));
  assert.equal(new Set(mine).size, 1);
  assert.equal(new Set(theirs).size, 1);
  assert.notEqual(mine[0], theirs[0]);
  const tokens = new Set(await Promise.all([...mine, ...theirs]));
  assert.equal(tokens.size, 1);
  assert.equal(await server.isActive([...tokens][0]), true);
  assert.deepEqual(counts(), { granted: 1, refused: 0, rotations: 1, reuses: 0, revocations: 0, signOuts: 0 });
  assert.equal(server.oracle.presentations, 1);
  assert.equal(auth.stats().presentations + other.stats().presentations, 1);
});

test("IM-03: twenty coordinators, five expiries", async (t) => {
  const store = memoryStore();
  const { server, clock, auth, expire, counts } = await scene(t, { store });
  const all = [auth, ...times(19, () => coordinator(t, server, { clock, store }))];
  for (let round = 1; round <= 5; round += 1) {
    expire();
    const tokens = await Promise.all(all.map((one) => one.getAccessToken()));
    assert.equal(new Set(tokens).size, 1);
    assert.equal(counts().rotations, round);
  }
  assert.equal(counts().reuses, 0);
});

test("a coordinator that was not there adopts the session from the store", async (t) => {
  const store = memoryStore();
  const { server, clock, auth, expire } = await scene(t, { store });
  expire();
  const token = await auth.getAccessToken();
  const newcomer = coordinator(t, server, { clock, store });
  assert.equal(await newcomer.getAccessToken(), token);
  assert.equal(server.oracle.presentations, 1);
});

test("a sign-out in one is a sign-out in all, even while their mirrors are fresh", async (t) => {
  const store = memoryStore();
  const { server, clock, auth } = await scene(t, { store });
  const other = coordinator(t, server, { clock, store });
  await other.getAccessToken();
  const noticed = new Promise((resolve) => other.subscribe(() => other.getSnapshot().status === "signed-out" && resolve()));
  await auth.signOut();
  await noticed;
  assertError(await rejection(other.getAccessToken()), "NoSessionError");
  assert.equal(server.oracle.presentations, 0);
});

test("N-17: sessions of other names, clients and servers stay apart on one store", async (t) => {
  const store = memoryStore();
  const { server, clock, auth } = await scene(t, { store });
  const elsewhere = coordinator(t, server, { clock, store, session: "work" });
  assertError(await rejection(elsewhere.getAccessToken()), "NoSessionError");
  const second = await server.signIn();
  await elsewhere.setTokens(second.tokens);
  assert.equal(await elsewhere.getAccessToken(), second.tokens.access_token);
  assert.notEqual(await auth.getAccessToken(), second.tokens.access_token);
  const foreign = coordinator(t, server, { clock, store, clientId: "another" });
  assertError(await rejection(foreign.getAccessToken()), "NoSessionError");
});

test("the refresh of one coordinator moves the snapshot of another", async (t) => {
  const store = memoryStore();
  const { server, clock, auth, expire } = await scene(t, { store });
  const other = coordinator(t, server, { clock, store });
  await other.getAccessToken();
  expire();
  await auth.getAccessToken();
  await other.getAccessToken();
  assert.deepEqual(other.getSnapshot(), auth.getSnapshot());
  assert.equal(server.oracle.presentations, 1);
});
