// subscribe and getSnapshot: shaped for useSyncExternalStore, without a token, and safe from their listeners.

import assert from "node:assert/strict";
import test from "node:test";

import { NoSessionError, RefreshCoordinator } from "refresh-coordinator";

const reply = (count) => ({ access_token: `secret-A${count}`, refresh_token: `secret-R${count}`, expires_in: 300 });

function make(t) {
  let count = 0;
  const auth = new RefreshCoordinator({ refresh: () => reply((count += 1)) });
  t.after(() => auth.close());
  return auth;
}

test("it is unknown, active, refreshing, active, signed out; frozen, and the same object in between", async (t) => {
  const auth = make(t);
  const { subscribe, getSnapshot } = auth;
  assert.equal(getSnapshot().status, "unknown");
  await auth.setTokens(reply(0));
  const active = getSnapshot();
  assert.equal(active.status, "active");
  assert.ok(Object.isFrozen(active));
  await auth.getTokens();
  assert.equal(getSnapshot(), active);
  const seen = [];
  subscribe(() => seen.push(getSnapshot().status));
  const refreshed = auth.refresh();
  assert.equal(getSnapshot().status, "refreshing");
  await refreshed;
  assert.equal(getSnapshot().status, "active");
  assert.equal(getSnapshot().generation, 1);
  await auth.signOut();
  assert.equal(getSnapshot().status, "signed-out");
  assert.doesNotMatch(JSON.stringify([active, seen]), /secret/);
});

test("a first look at an empty store is no refresh, and tells why there is nothing", async (t) => {
  const auth = make(t);
  const seen = [];
  auth.subscribe(() => seen.push(auth.getSnapshot().status));
  await assert.rejects(auth.getTokens(), NoSessionError);
  await new Promise(setImmediate);
  assert.equal(auth.getSnapshot().status, "signed-out");
  assert.ok(!seen.includes("refreshing"));
});

test("listeners get the events, never a token, until they leave", async (t) => {
  const auth = make(t);
  const events = [];
  const leave = auth.subscribe((event) => event && events.push(event));
  await auth.setTokens(reply(0));
  await auth.refresh();
  await new Promise(setImmediate);
  assert.deepEqual(events.map(({ type }) => type), ["signed-in", "refreshed"]);
  assert.doesNotMatch(JSON.stringify(events), /secret/);
  leave();
  await auth.refresh();
  await new Promise(setImmediate);
  assert.equal(events.length, 2);
});

test("a listener that throws harms nobody, and is reported once", async (t) => {
  const reported = t.mock.method(console, "error", () => {});
  const auth = make(t);
  auth.subscribe(() => {
    throw new Error("a listener's own trouble");
  });
  let heard = 0;
  auth.subscribe(() => (heard += 1));
  await auth.setTokens(reply(0));
  await auth.refresh();
  await auth.refresh();
  await new Promise(setImmediate);
  assert.ok(heard >= 3);
  assert.equal(reported.mock.callCount(), 1);
});
