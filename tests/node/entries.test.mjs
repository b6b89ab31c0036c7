// The entries beside the default one: as modules, by `require`, and on a host that has none of what they need.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import test from "node:test";

import { StoreError } from "refresh-coordinator";
import { indexedDbStore } from "refresh-coordinator/stores/web";

const required = createRequire(import.meta.url)("refresh-coordinator/stores/web");

for (const [how, make] of [["imported", indexedDbStore], ["required", required.indexedDbStore]]) {
  test(`stores/web, ${how}: loads and makes a store where there is no IndexedDB, which says so when it is used`, async () => {
    const store = make();
    assert.equal(store.scope, "origin");
    for (const call of [() => store.read("k"), () => store.write("k", "v", { ifVersion: null })]) {
      await assert.rejects(call, (error) => error instanceof StoreError && error.code === "store-unavailable");
    }
  });
}
