// A page outlives what was mounted in it: what a webStorageStore has attached to the page goes with the store.

import assert from "node:assert/strict";
import test from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { webStorageStore } from "refresh-coordinator/stores/web";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc");

/** What listens to the page's events of the storage. */
const listeners = new Set();
globalThis.addEventListener = (type, listener) => type === "storage" && listeners.add(listener);
globalThis.removeEventListener = (type, listener) => type === "storage" && listeners.delete(listener);

const storage = { getItem: () => null, setItem() {}, removeItem() {} };

/** Another tab has changed the storage. */
const changed = () => listeners.forEach((listener) => listener({ storageArea: storage, key: "session" }));

/** Makes a store and uses it. There is no IndexedDB here, which is of no importance. */
async function used() {
  const store = webStorageStore({ key: "session", storage });
  await store.read("k").catch(() => {});
  return store;
}

/** Lets what nobody has any more go. What was just looked at stays until the next turn of the loop. */
async function collected() {
  for (let round = 0; round < 5; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    gc();
  }
}

test("a store that nobody has any more listens to nothing after the next event", async () => {
  await used();
  assert.equal(listeners.size, 1);
  await collected();
  changed();
  assert.equal(listeners.size, 0);
});

test("a store that somebody has listens on", async () => {
  const store = await used();
  await collected();
  changed();
  assert.equal(listeners.size, 1);
  await store.read("k").catch(() => {});
  assert.equal(listeners.size, 1);
});
