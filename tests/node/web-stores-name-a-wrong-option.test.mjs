// The stores of pages, on a host that renders pages: they can be made there, and a wrong option is named.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import test from "node:test";

import { StoreError } from "refresh-coordinator";
import { webStorageStore } from "refresh-coordinator/stores/web";

const required = createRequire(import.meta.url)("refresh-coordinator/stores/web");

for (const [how, make] of [["imported", webStorageStore], ["required", required.webStorageStore]]) {
  test(`webStorageStore, ${how}: can be made where there is no localStorage, and says so when it is used`, async () => {
    const store = make({ key: "session" });
    assert.equal(store.scope, "origin");
    for (const call of [() => store.read("k"), () => store.write("k", "v", { ifVersion: null })]) {
      await assert.rejects(call, (error) => error instanceof StoreError && error.code === "store-unavailable");
    }
  });
}

for (const [options, name] of [
  [{}, "`key` and `items`"],
  [{ key: "session", items: { session: () => "" } }, "`key` and `items`"],
  [{ key: "" }, "`key`"],
  [{ key: 7 }, "`key`"],
  [{ items: null }, "`items`"],
  [{ items: {} }, "`items`"],
  [{ items: { token: "accessToken" } }, "`items.token`"],
  [{ key: "session", storage: null }, "`storage`"],
  [{ key: "session", storage: { getItem() {}, setItem() {} } }, "`storage`"],
]) {
  test(`webStorageStore(${JSON.stringify(options)}) names what is wrong`, () => {
    assert.throws(() => webStorageStore(options), (error) => error instanceof TypeError && error.message.includes(name));
  });
}
