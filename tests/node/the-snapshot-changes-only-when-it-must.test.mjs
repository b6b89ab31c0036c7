// `subscribe` and `getSnapshot`, shaped for `useSyncExternalStore`, and the closed list of events.

import assert from "node:assert/strict";
import test from "node:test";

import * as faults from "../authorization-server/faults.mjs";
import { Clock } from "./clock.mjs";
import { rejection, rejects } from "./errors.mjs";
import { authorizationServer, coordinator, scene } from "./scene.mjs";
import { TestStore } from "./store.mjs";

const EVENTS = [
  "refreshed", "adopted", "waiting", "taken-over", "transient", "revoked", "signed-in", "signed-out", "store-failed",
  "degraded", "revocation-failed",
];

/** Records what a listener hears, and the statuses at those moments. */
function record(auth) {
  const [events, statuses] = [[], []];
  const stop = auth.subscribe((event) => {
    if (event !== undefined) events.push(event);
    const { status } = auth.getSnapshot();
    if (statuses.at(-1) !== status) statuses.push(status);
  });
  return { events, statuses, stop };
}

const settled = () => new Promise(setImmediate);

test("a life in statuses", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const auth = coordinator(t, server, { clock, retries: 0 });
  assert.equal(auth.getSnapshot().status, "unknown");
  const { statuses } = record(auth);
  await auth.setTokens((await server.signIn()).tokens);
  await settled();
  clock.advance(300_000);
  await auth.getTokens();
  await settled();
  clock.advance(300_000);
  server.next(1, faults.oauthError("invalid_grant"));
  await rejection(auth.getTokens());
  await settled();
  await auth.setTokens((await server.signIn()).tokens);
  await settled();
  await auth.signOut();
  await settled();
  assert.deepEqual(statuses, ["active", "refreshing", "active", "refreshing", "revoked", "active", "signed-out"]);
});

test("the snapshot says status, expiry, error and generation, and no more", async (t) => {
  const { auth, before, expire, clock } = await scene(t);
  assert.deepEqual(Object.keys(auth.getSnapshot()).sort(), ["error", "expiresAt", "generation", "status"]);
  assert.equal(auth.getSnapshot().expiresAt, before.expiresAt);
  assert.equal(auth.getSnapshot().generation, 0);
  assert.equal(auth.getSnapshot().error, undefined);
  assert.ok(Object.isFrozen(auth.getSnapshot()));
  expire();
  await auth.getTokens();
  assert.deepEqual({ ...auth.getSnapshot() }, { status: "active", expiresAt: clock.now() + 300_000, error: undefined, generation: 1 });
});

test("it is the same object until something changes", async (t) => {
  const { auth, expire } = await scene(t);
  const snapshot = auth.getSnapshot();
  for (let call = 0; call < 10; call += 1) {
    await auth.getAccessToken();
    assert.equal(auth.getSnapshot(), snapshot);
  }
  expire();
  await auth.getAccessToken();
  assert.notEqual(auth.getSnapshot(), snapshot);
});

test("a failure stands in the snapshot, and goes away with the next success", async (t) => {
  const { server, clock, auth, expire } = await scene(t, { retries: 0 });
  expire();
  server.next(1, faults.unavailable());
  const error = await rejection(auth.getTokens());
  await settled();
  assert.equal(auth.getSnapshot().error, error);
  assert.equal(auth.getSnapshot().status, "active", "a server that is away ends no session");
  clock.advance(60_000);
  await auth.getTokens();
  await settled();
  assert.equal(auth.getSnapshot().error, undefined);
});

test("events come from the closed list, and carry key, generation and time", async (t) => {
  const { server, clock, auth, expire } = await scene(t, { retries: 0, session: "ada" });
  const { events } = record(auth);
  expire();
  await auth.getTokens();
  expire();
  server.next(1, faults.tooManyRequests(9));
  await rejection(auth.getTokens());
  clock.advance(9_000);
  server.next(1, faults.oauthError("invalid_grant"));
  await rejection(auth.getTokens());
  await auth.setTokens((await server.signIn()).tokens);
  await auth.signOut();
  await settled();
  const types = events.map(({ type }) => type);
  for (const type of types) assert.ok(EVENTS.includes(type), type);
  assert.deepEqual(types.filter((type) => type !== "waiting"), ["refreshed", "transient", "revoked", "signed-in", "signed-out"]);
  const [refreshed, transient, revoked] = events;
  assert.equal(refreshed.generation, 1);
  assert.equal(transient.retryAt, transient.at + 9_000);
  assert.equal(revoked.reason, "unknown");
  assert.equal(new Set(events.map(({ session }) => session)).size, 1);
  assert.match(refreshed.session, /^[A-Za-z0-9_-]{20,}$/);
});

test("a join is a statistic, not an event", async (t) => {
  const { auth, expire } = await scene(t);
  const { events } = record(auth);
  expire();
  await Promise.all(Array.from({ length: 100 }, () => auth.getTokens()));
  await settled();
  assert.deepEqual(events.map(({ type }) => type), ["refreshed"]);
  assert.equal(auth.stats().joins, 99);
});

test("listeners that throw, that leave and that call back harm nobody", async (t) => {
  const { auth, expire } = await scene(t);
  // Where the host has no better place for it, a listener's error is written down.
  const written = t.mock.method(console, "error", () => {});
  const uncaught = [];
  const listener = (error) => uncaught.push(error);
  process.on("uncaughtException", listener);
  t.after(() => process.off("uncaughtException", listener));
  let [left, calls] = [0, 0];
  auth.subscribe(() => {
    throw new Error("a listener's own problem");
  });
  const stop = auth.subscribe(() => {
    left += 1;
    stop();
  });
  auth.subscribe(() => {
    calls += 1;
    auth.getAccessToken();
  });
  expire();
  const token = await auth.getAccessToken();
  await settled();
  assert.equal(typeof token, "string");
  assert.equal(left, 1);
  assert.ok(calls >= 1);
  const seen = [...uncaught, ...written.mock.calls.flatMap((call) => call.arguments)].filter((one) => one instanceof Error);
  assert.ok(seen.length > 0 && seen.every(({ message }) => message === "a listener's own problem"));
});

test("a listener is a function, and leaving twice is leaving once", async (t) => {
  const { auth } = await scene(t);
  for (const wrong of [undefined, null, 5, {}]) assert.throws(() => auth.subscribe(wrong));
  const listener = () => {};
  const [stop, other] = [auth.subscribe(listener), auth.subscribe(listener)];
  stop();
  stop();
  other();
});

test("a sign-out shows at once, and its revocation says nothing of the session after it", async (t) => {
  const server = await authorizationServer(t);
  const auth = coordinator(t, server, { clock: new Clock(), revocationEndpoint: server.revocationEndpoint });
  const [first, second] = [await server.signIn(), await server.signIn()];
  await auth.setTokens(first.tokens);
  const held = server.holdRequest("revocation");
  const leaving = auth.signOut();
  assert.equal(auth.getSnapshot().status, "signed-out");
  await held.arrived;
  await auth.setTokens(second.tokens);
  held.release();
  assert.deepEqual(await leaving, { revoked: true });
  assert.equal(auth.getSnapshot().status, "active");
});

test("a `waitUntil` that was handed over unbound is told of, and the refresh goes on", async (t) => {
  const waitUntil = () => {
    throw new TypeError("Illegal invocation");
  };
  const { auth, expire } = await scene(t, { waitUntil });
  const { events } = record(auth);
  expire();
  await auth.getTokens();
  assert.ok(events.some(({ type, what }) => type === "degraded" && what === "waitUntil"));
});

test("a sign-out that the store refuses is told of", async (t) => {
  const clock = new Clock();
  const store = new TestStore(clock);
  const { auth } = await scene(t, { clock, store });
  const { events } = record(auth);
  store.instead.write = () => {
    throw new Error("read-only");
  };
  await rejects(auth.signOut(), "StoreError");
  assert.ok(events.some(({ type, operation }) => type === "store-failed" && operation === "write"));
});
