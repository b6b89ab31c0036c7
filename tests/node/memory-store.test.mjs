// memoryStore(): compare-and-set, versions that never come back, expiry without timers, and a fair queue of locks.

import assert from "node:assert/strict";
import test from "node:test";

import { memoryStore } from "refresh-coordinator";

test("a write needs the version that is there, or null for nothing", () => {
  const store = memoryStore();
  const first = store.write("k", "a", { ifVersion: null });
  assert.equal(store.write("k", "b", { ifVersion: null }), undefined);
  const second = store.write("k", "b", { ifVersion: first });
  assert.equal(store.write("k", "c", { ifVersion: first }), undefined, "that version is gone");
  assert.deepEqual({ ...store.read("k") }, { value: "b", version: second });
  assert.throws(() => store.write("k", "c", {}), TypeError, "there is no unconditional write");
});

test("no version is used twice, not even after a delete", () => {
  const store = memoryStore();
  const seen = new Set();
  for (let round = 0; round < 100; round += 1) {
    const version = store.write("k", "v", { ifVersion: null });
    const deleted = store.write("k", undefined, { ifVersion: version });
    assert.equal(typeof deleted, "string");
    seen.add(version).add(deleted);
    assert.equal(store.read("k"), undefined);
  }
  assert.equal(seen.size, 200);
});

test("what has expired is absent, and its version conflicts", (t) => {
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const store = memoryStore();
  const version = store.write("k", "v", { ifVersion: null, ttl: 1_000 });
  now = 999;
  assert.equal(store.read("k").value, "v");
  now = 1_000;
  assert.equal(store.read("k"), undefined);
  assert.equal(store.write("k", "w", { ifVersion: version }), undefined);
  assert.notEqual(store.write("k", "w", { ifVersion: null }), version);
});

test("a watcher hears of writes and deletes, later, until it stops; one that throws harms nobody", async () => {
  const store = memoryStore();
  let [heard, others] = [0, 0];
  store.watch("k", () => {
    throw new Error("a listener's own trouble");
  });
  const stop = store.watch("k", () => (heard += 1));
  store.watch("another", () => (others += 1));
  const version = store.write("k", "v", { ifVersion: null });
  assert.equal(heard, 0);
  store.write("k", "w", { ifVersion: "no such version" });
  store.write("k", undefined, { ifVersion: version });
  await new Promise(setImmediate);
  assert.deepEqual([heard, others], [2, 0]);
  stop();
  store.write("k", "v", { ifVersion: null });
  await new Promise(setImmediate);
  assert.equal(heard, 2);
});

test("the lock goes round in the order of asking, whatever the holders do", async () => {
  const { locks } = memoryStore();
  const order = [];
  const requests = [
    locks.request("n", {}, async () => void order.push(1)),
    locks.request("n", {}, () => {
      order.push(2);
      throw new Error("thrown");
    }),
    locks.request("n", {}, () => (order.push(3), Promise.reject(new Error("rejected")))),
    locks.request("n", {}, () => (order.push(4), "value")),
  ];
  const settled = await Promise.allSettled(requests);
  assert.deepEqual(order, [1, 2, 3, 4]);
  assert.deepEqual(settled.map(({ status }) => status), ["fulfilled", "rejected", "rejected", "fulfilled"]);
  assert.equal(settled[3].value, "value");
});

test("one who gives up waiting leaves the queue; one who does not want to wait gets null", async () => {
  const { locks } = memoryStore();
  let release;
  const held = locks.request("n", {}, () => new Promise((resolve) => (release = resolve)));
  await new Promise(setImmediate);
  assert.equal(await locks.request("n", { ifAvailable: true }, (lock) => lock), null);
  const controller = new AbortController();
  const waiting = locks.request("n", { signal: controller.signal }, () => assert.fail("it was withdrawn"));
  const behind = locks.request("n", {}, () => "mine");
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  release();
  await held;
  assert.equal(await behind, "mine");
  assert.notEqual(await locks.request("n", { ifAvailable: true }, (lock) => lock), null, "it is free again");
});
