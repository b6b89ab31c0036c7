// The one who refreshes is slow to store what it got, or is gone: the others wait for the intent in the store, not for a fixed time.

import assert from "node:assert/strict";
import test from "node:test";

import { grace, strict } from "../authorization-server/personalities.mjs";
import { Clock } from "../node/clock.mjs";
import { rejects } from "../node/errors.mjs";
import { LIFETIME, authorizationServer, coordinator } from "../node/scene.mjs";
import { TestStore } from "../node/store.mjs";

/** Two processes with one store and no locks, signed in, and the access token is over. */
async function two(t, { personality = strict, first = {}, ...options } = {}) {
  const [server, clock] = [await authorizationServer(t, personality), new Clock()];
  const store = Object.assign(new TestStore(clock), { scope: "host" });
  const { tokens, session } = await server.signIn();
  const start = (more) => coordinator(t, server, { clock, store, retries: 0, callTimeout: 120_000, lockWait: 60_000, ...options, ...more });
  const [slow, other] = [start(first), start()];
  await slow.setTokens(tokens);
  await other.getAccessToken();
  for (const each of new Set([clock, first.clock ?? clock])) each.advance(LIFETIME);
  return { server, clock, store, session, slow, other };
}

test("N-03: stored 5 s after the reply: the other sends nothing in the meantime, and adopts", async (t) => {
  const { server, clock, store, session, slow, other } = await two(t);
  let release;
  const held = new Promise((resolve) => {
    store.instead.write = (honestly, _key, value) => {
      if (JSON.parse(value).generation === 0) return honestly();
      resolve();
      store.instead.write = undefined;
      return new Promise((done) => (release = () => done(honestly())));
    };
  });
  const winner = slow.getAccessToken();
  await held;
  const waiting = other.getAccessToken();
  for (let waited = 0; waited < 4_500; waited += 500) {
    await clock.asleep(() => true);
    clock.advance(500);
    await new Promise(setImmediate);
  }
  assert.equal(server.oracle.presentations, 1);
  release();
  const token = await winner;
  clock.advance(500);
  clock.skips = 5_000;
  while (other.stats().adoptions === 0) {
    clock.advance(1_000);
    await new Promise(setImmediate);
  }
  assert.equal(await waiting, token);
  assert.equal(server.oracle.presentations, 1);
  assert.equal(server.oracle.counts(session).reuses, 0);
});

/** A process that the server has answered, and that is gone before it stored anything: its clock stands still for ever. */
async function crashed(t, personality, options) {
  let dead;
  const gone = new Promise((resolve) => (dead = resolve));
  const lost = async (url, init) => {
    // The request of a process that is killed is not aborted: it has left.
    await fetch(url, { ...init, signal: undefined });
    dead();
    return new Promise(() => {});
  };
  const all = await two(t, { personality, ...options, first: { fetch: lost, clock: new Clock() } });
  all.slow.getAccessToken().catch(() => {});
  await gone;
  return all;
}

test("N-07: a crash between rotation and storing: the intent is found, and on a strict server the loss has its own name", async (t) => {
  const { server, clock, store, other } = await crashed(t, strict);
  assert.ok(Object.values(store.contents).some((value) => JSON.parse(value).intent), "the intent outlives the process");
  const error = rejects(other.getAccessToken(), "RevokedError", { reason: "response-lost" });
  await untilPresented(server, clock);
  await error;
  assert.equal(other.stats().takeOvers, 1);
});

test("N-07: the same crash, where the server accepts the token once more: the session lives", async (t) => {
  const { server, clock, session, other } = await crashed(t, grace, { grace: 60 });
  const caller = other.getAccessToken();
  await untilPresented(server, clock);
  const token = await caller;
  assert.equal(await server.isActive(token), true);
  assert.deepEqual([other.stats().takeOvers, server.oracle.counts(session).reuses], [1, 0]);
});

/** Time goes on, in small steps, until the second request is there. */
async function untilPresented(server, clock) {
  let there = false;
  server.oracle.once("presentation", () => (there = true));
  while (!there) {
    clock.advance(250);
    await new Promise(setImmediate);
  }
  // What the living one still waits for passes.
  clock.skips = 2_000;
}
