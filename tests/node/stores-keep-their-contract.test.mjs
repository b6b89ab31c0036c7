// The contract of all stores, for those that live in Node.

import { readFile } from "node:fs/promises";
import test from "node:test";

import { transform } from "esbuild";
import { memoryStore } from "refresh-coordinator";
import { appStore } from "refresh-coordinator/stores/app";
import { storeContract } from "refresh-coordinator/testing";

const memory = memoryStore();
for (const { title, run } of storeContract(() => memory)) test(`memoryStore: ${title}`, run);

/** One storage holds one session, and records of sessions only. A session does not expire: who wants that deletes it when it is time. */
const LONGEST_TIMER = 2 ** 31;
const stores = new Map();
const app = {
  async read(key) {
    const there = await storeOf(key).read(key);
    return there && { value: valueOf(there.value), version: there.version };
  },
  async write(key, value, { ifVersion, ttl }) {
    const store = storeOf(key);
    const version = await store.write(key, value === undefined ? undefined : recordOf(value), { ifVersion });
    const end = () => store.write(key, undefined, { ifVersion: version });
    if (version !== undefined && ttl < LONGEST_TIMER) setTimeout(end, ttl).unref();
    return version;
  },
};
for (const { title, run } of storeContract(() => app)) test(`appStore: ${title}`, run);

function storeOf(key) {
  if (!stores.has(key)) stores.set(key, appStore(storage()));
  return stores.get(key);
}

/** An app's own, which takes its time. */
function storage() {
  let stored;
  const slowly = (work) => new Promise((resolve) => setImmediate(() => resolve(work())));
  return { load: () => slowly(() => stored), save: (tokens) => slowly(() => void (stored = tokens)), clear: () => slowly(() => void (stored = undefined)) };
}

// What a reader copies.
const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
const [, example] = /```ts\n(import type \{ Store \}.+?)```/s.exec(readme);
const { code } = await transform(`${example}\nexport { store };`, { loader: "ts" });
const { store: copied } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
for (const { title, run } of storeContract(() => copied)) test(`the store in README: ${title}`, run);

/** The value stands where a refresh token does, which is never empty. */
function recordOf(value) {
  return JSON.stringify({ v: 1, state: "active", sid: "s", generation: 0, refreshToken: `R${value}` });
}

function valueOf(record) {
  return JSON.parse(record).refreshToken.slice(1);
}
