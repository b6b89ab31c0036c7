// indexedDbStore() in real tabs: the contract of all stores, and what only IndexedDB does to its users.

import assert from "node:assert/strict";
import test from "node:test";

import { contract } from "../stores/contract.mjs";
import { devtools, origin, profile, tab } from "./chromium.mjs";

/** A tab with a store in it, as `store`. */
async function storeTab(t, context) {
  const page = await tab(t, context);
  await page.evaluate(async () => {
    const { indexedDbStore } = await import("/pkg/stores/web.js");
    globalThis.store = indexedDbStore();
  });
  return page;
}

const read = (page, key = "k") => page.evaluate((key) => store.read(key), key);
const write = (page, value, ifVersion, key = "k") =>
  page.evaluate(([key, value, ifVersion]) => store.write(key, value, { ifVersion }), [key, value, ifVersion]);

for (const sentence of Object.keys(contract)) {
  test(sentence, async (t) => {
    const page = await tab(t, await profile(t));
    await page.evaluate(async (sentence) => {
      const [{ contract }, { indexedDbStore }] = await Promise.all([import("/tests/stores/contract.mjs"), import("/pkg/stores/web.js")]);
      await contract[sentence](() => indexedDbStore());
    }, sentence);
  });
}

test("tabs that count together count right", async (t) => {
  const context = await profile(t);
  const pages = await Promise.all([1, 2, 3, 4].map(() => storeTab(t, context)));
  await Promise.all(
    pages.map((page) =>
      page.evaluate(async () => {
        for (let done = 0; done < 25; ) {
          const there = await store.read("k");
          const next = String(Number(there?.value ?? 0) + 1);
          if ((await store.write("k", next, { ifVersion: there?.version ?? null })) !== undefined) done += 1;
        }
      }),
    ),
  );
  for (const page of pages) assert.equal((await read(page)).value, "100");
});

test("databases of other names are apart, and what has expired is cleared away by later writes", async (t) => {
  const page = await tab(t, await profile(t));
  const left = await page.evaluate(async () => {
    const { indexedDbStore } = await import("/pkg/stores/web.js");
    const [one, other] = [indexedDbStore({ database: "one" }), indexedDbStore({ database: "other" })];
    for (let key = 0; key < 5; key += 1) await one.write(`k${key}`, "v", { ifVersion: null, ttl: 1 });
    if ((await other.read("k0")) !== undefined) throw new Error("the other database has it too");
    while ((await one.read("k4")) !== undefined) await new Promise((resolve) => setTimeout(resolve));
    for (let key = 0; key < 2; key += 1) await one.write(`new${key}`, "v", { ifVersion: null, ttl: 60_000 });
    const database = await new Promise((resolve) => {
      indexedDB.open("one").onsuccess = (event) => resolve(event.target.result);
    });
    return new Promise((resolve) => {
      database.transaction("records").objectStore("records").getAllKeys().onsuccess = (event) => resolve(event.target.result);
    });
  });
  assert.deepEqual(left, ["new0", "new1"]);
});

test("another tab may upgrade the database: this one lets go of it, and goes on with what is there", async (t) => {
  const context = await profile(t);
  const [page, other] = [await storeTab(t, context), await tab(t, context)];
  const version = await write(page, "before", null);
  await other.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("refresh-coordinator", 7);
        opening.onupgradeneeded = () => opening.result.createObjectStore("of a newer version");
        opening.onsuccess = () => resolve(opening.result.close());
        opening.onerror = () => reject(opening.error);
        opening.onblocked = () => reject(new Error("blocked"));
      }),
  );
  assert.equal((await read(page)).value, "before");
  assert.equal(typeof (await write(page, "after", version)), "string");
  assert.equal((await read(await storeTab(t, context))).value, "after");
});

test("another tab may delete the database: no version comes back with the next one", async (t) => {
  const context = await profile(t);
  const [page, other] = [await storeTab(t, context), await tab(t, context)];
  const before = await write(page, "before", null);
  await other.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const deleting = indexedDB.deleteDatabase("refresh-coordinator");
        deleting.onsuccess = resolve;
        deleting.onblocked = () => reject(new Error("blocked"));
      }),
  );
  assert.equal(await read(page), undefined);
  assert.equal(await write(page, "after", before), undefined);
  assert.notEqual(await write(page, "after", null), before);
});

test("the user may clear the site's data, which closes every connection", async (t) => {
  const page = await storeTab(t, await profile(t));
  await write(page, "before", null);
  const session = await devtools(page);
  await session.send("Storage.clearDataForOrigin", { origin: origin(), storageTypes: "indexeddb" });
  while ((await read(page)) !== undefined);
  assert.equal(typeof (await write(page, "after", null)), "string");
  assert.equal((await read(page)).value, "after");
});

test("a database that somebody has made by looking into it is put in order, also by many tabs at once", async (t) => {
  const context = await profile(t);
  const page = await tab(t, context);
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        indexedDB.open("refresh-coordinator").onsuccess = ({ target }) => resolve(target.result.close());
      }),
  );
  const pages = await Promise.all([1, 2, 3].map(() => storeTab(t, context)));
  const written = await Promise.all(pages.map((page, number) => write(page, `by ${number}`, null)));
  assert.equal(written.filter((version) => version !== undefined).length, 1);
  for (const page of pages) assert.equal((await read(page)).value, `by ${written.findIndex((version) => version !== undefined)}`);
});

test("a database of the app's own is left alone, and a StoreError names it", async (t) => {
  const page = await tab(t, await profile(t));
  const told = await page.evaluate(async () => {
    await new Promise((resolve) => {
      const opening = indexedDB.open("my-app");
      opening.onupgradeneeded = () => opening.result.createObjectStore("orders");
      opening.onsuccess = () => resolve(opening.result.close());
    });
    const { indexedDbStore } = await import("/pkg/stores/web.js");
    const error = await indexedDbStore({ database: "my-app" }).read("k").catch((error) => error);
    return [error.name, error.code, error.message, await indexedDB.databases()];
  });
  assert.deepEqual(told.slice(0, 2), ["StoreError", "store-unavailable"]);
  assert.match(told[2], /`my-app`.*`database`/);
  assert.deepEqual(told[3], [{ name: "my-app", version: 1 }]);
});

for (const [where, prepare] of [
  [
    "when a transaction begins",
    () => {
      const { transaction } = IDBDatabase.prototype;
      IDBDatabase.prototype.transaction = function (...args) {
        globalThis.connection = this;
        if (globalThis.dead === this) throw new DOMException("Connection to Indexed Database server lost.", "UnknownError");
        return transaction.apply(this, args);
      };
    },
  ],
  [
    "when something is asked of it",
    () => {
      const { get } = IDBObjectStore.prototype;
      IDBObjectStore.prototype.get = function (...args) {
        globalThis.connection = this.transaction.db;
        if (globalThis.dead === connection) throw new DOMException("Connection to Indexed Database server lost.", "UnknownError");
        return get.apply(this, args);
      };
    },
  ],
]) {
  test(`a connection that dies in the background, which shows ${where}: the next one is there at once`, async (t) => {
    const page = await storeTab(t, await profile(t, { prepare }));
    const version = await write(page, "before", null);
    const dies = () => page.evaluate(() => void (globalThis.dead = connection));
    await dies();
    assert.equal((await read(page)).value, "before");
    await dies();
    const after = await write(page, "after", version).catch(() => "unknown");
    // Of what was asked of a dead connection nobody can tell what became of it.
    if (after === "unknown") assert.equal(typeof (await write(page, "after", version)), "string");
    assert.equal((await read(page)).value, "after");
  });
}

test("while somebody blocks the database the coordinator says so in time, and afterwards goes on", async (t) => {
  const context = await profile(t);
  const [page, rude] = [await tab(t, context), await tab(t, context)];
  // It holds on to its connection although somebody wants to delete the database.
  await rude.evaluate(
    () =>
      new Promise((resolve) => {
        const opening = indexedDB.open("refresh-coordinator");
        opening.onsuccess = () => {
          globalThis.connection = opening.result;
          indexedDB.deleteDatabase("refresh-coordinator").onblocked = resolve;
        };
      }),
  );
  const failed = await page.evaluate(async () => {
    const { RefreshCoordinator, StoreError } = await import("/pkg/index.js");
    const refresh = () => ({ access_token: "A1", refresh_token: "R1", expires_in: 3_600 });
    globalThis.auth = new RefreshCoordinator({ name: "blocked", refresh, storeTimeout: 50 });
    const error = await auth.getAccessToken().catch((error) => error);
    return { code: error.code, typed: error instanceof StoreError };
  });
  assert.deepEqual(failed, { code: "store-timeout", typed: true });
  await rude.evaluate(() => connection.close());
  const token = await page.evaluate(async () => {
    for (;;) {
      try {
        await auth.setTokens({ access_token: "A0", refresh_token: "R0", expires_in: 3_600 });
        return await auth.getAccessToken();
      } catch (error) {
        if (error.code !== "store-timeout") throw error;
      }
    }
  });
  assert.equal(token, "A0");
});

test("what the browser aborts is begun again", async (t) => {
  const prepare = () => {
    globalThis.aborted = 0;
    const get = IDBObjectStore.prototype.get;
    IDBObjectStore.prototype.get = function (...args) {
      const getting = get.apply(this, args);
      if (aborted < 2) {
        aborted += 1;
        this.transaction.abort();
      }
      return getting;
    };
  };
  const page = await storeTab(t, await profile(t, { prepare }));
  assert.equal(typeof (await write(page, "v", null)), "string");
  assert.equal((await read(page)).value, "v");
  assert.equal(await page.evaluate(() => aborted), 2);
});

test("an attempt to open the database that the browser forgets is not waited for for ever", async (t) => {
  const prepare = () => {
    const open = IDBFactory.prototype.open;
    globalThis.attempts = 0;
    IDBFactory.prototype.open = function (...args) {
      attempts += 1;
      // A request that nothing ever becomes of.
      return attempts === 1 ? Object.create(IDBOpenDBRequest.prototype, { addEventListener: { value() {} } }) : open.apply(this, args);
    };
  };
  const page = await tab(t, await profile(t, { prepare }));
  const token = await page.evaluate(async () => {
    const { RefreshCoordinator } = await import("/pkg/index.js");
    const auth = new RefreshCoordinator({ name: "forgotten", refresh: () => ({}), storeTimeout: 200 });
    for (;;) {
      try {
        await auth.setTokens({ access_token: "A0", refresh_token: "R0", expires_in: 3_600 });
        return await auth.getAccessToken();
      } catch (error) {
        if (error.code !== "store-timeout") throw error;
      }
    }
  });
  assert.equal(token, "A0");
});

test("a full disk is a StoreError that says so, and an event; with space again everything works", async (t) => {
  const page = await tab(t, await profile(t));
  const session = await devtools(page);
  // Before anything is written: the browser does not look at the quota every time.
  await session.send("Storage.overrideQuotaForOrigin", { origin: origin(), quotaSize: 1 });
  const failed = await page.evaluate(async () => {
    const { RefreshCoordinator, StoreError } = await import("/pkg/index.js");
    const refresh = () => ({ access_token: "A1", refresh_token: "R1", expires_in: 3_600 });
    globalThis.auth = new RefreshCoordinator({ name: "full", refresh });
    const events = [];
    auth.subscribe((event) => event && events.push(`${event.type} ${event.operation}`));
    const error = await auth.setTokens({ access_token: "A0", refresh_token: "R0", expires_in: 3_600 }).catch((error) => error);
    const { indexedDbStore } = await import("/pkg/stores/web.js");
    const itself = await indexedDbStore().write("k", "v", { ifVersion: null }).catch((error) => error);
    return { typed: error instanceof StoreError, code: error.code, events, itself: [itself instanceof StoreError, itself.code, itself.cause?.name] };
  });
  assert.equal(failed.typed, true);
  assert.equal(failed.code, "store-full");
  assert.deepEqual(failed.itself, [true, "store-full", "QuotaExceededError"]);
  assert.ok(failed.events.includes("store-failed write"), String(failed.events));
  await session.send("Storage.overrideQuotaForOrigin", { origin: origin() });
  const token = await page.evaluate(async () => {
    for (;;) {
      try {
        await auth.setTokens({ access_token: "A0", refresh_token: "R0", expires_in: 3_600 });
        return await auth.getAccessToken();
      } catch (error) {
        if (error.code !== "store-full") throw error;
      }
    }
  });
  assert.equal(token, "A0");
});
