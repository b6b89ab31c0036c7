// indexedDbStore({ sealed: true }) in real tabs: the contract of all stores, what lies in the database, and what becomes of values
// that were stored unsealed, by others, or under a key that is gone.

import assert from "node:assert/strict";
import test from "node:test";

import { strict } from "../authorization-server/personalities.mjs";
import { contract } from "../stores/contract.mjs";
import { insecureOrigin, profile, tab } from "./chromium.mjs";
import { calls, queued, signedInTabs } from "./signed-in-tabs.mjs";
import { accessToken, coordinatorTab, happened, Issuer } from "./single-use.mjs";

const indexedDbStore = { sealed: true };

/** A tab with both kinds of store in it, as `sealed` and `plain`. */
async function storeTab(t, context, path) {
  const page = await tab(t, context, path);
  await page.evaluate(async () => {
    const { indexedDbStore } = await import("/pkg/stores/web.js");
    globalThis.sealed = indexedDbStore({ sealed: true });
    globalThis.plain = indexedDbStore();
    globalThis.fresh = () => indexedDbStore({ sealed: true });
    globalThis.outcome = (promise) => promise.catch((error) => `${error.name} ${error.code}`);
  });
  return page;
}

/** All that lies in the database: entries, and each key that was made. */
const database = (page) =>
  page.evaluate(async () => {
    const ended = (request) => new Promise((resolve, reject) => Object.assign(request, { onsuccess: () => resolve(request.result), onerror: reject }));
    const opened = await ended(indexedDB.open("refresh-coordinator"));
    const records = opened.transaction("records").objectStore("records");
    const [keys, values] = await Promise.all([ended(records.getAllKeys()), ended(records.getAll())]);
    opened.close();
    const bytes = (value) => (ArrayBuffer.isView(value) ? value : new Uint8Array(value));
    const entries = {};
    const made = [];
    for (const [index, key] of keys.entries()) {
      const { key: secret, value } = values[index];
      if (secret instanceof CryptoKey) {
        const shown = await crypto.subtle.exportKey("raw", secret).catch((error) => error.name);
        made.push([secret.algorithm.name, secret.algorithm.length, secret.extractable, shown]);
      } else {
        entries[key] = typeof value === "string" ? value : new TextDecoder("latin1").decode(bytes(value.text));
      }
    }
    return { version: opened.version, entries, keys: made };
  });

const NOBODYS = ["AES-GCM", 256, false, "InvalidAccessError"];

/** Changes an entry of the database as somebody else might. */
const tamper = (page, change, argument) =>
  page.evaluate(
    ([change, argument]) =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("refresh-coordinator");
        opening.onsuccess = () => {
          const transaction = opening.result.transaction("records", "readwrite");
          new Function("records", "argument", change)(transaction.objectStore("records"), argument);
          transaction.oncomplete = () => resolve(opening.result.close());
          transaction.onabort = () => reject(transaction.error);
        };
      }),
    [change, argument],
  );

const LOSE_THE_KEY = `
  records.openCursor().onsuccess = ({ target: { result: cursor } }) => {
    if (cursor === null) return;
    if (typeof cursor.key !== "string") cursor.delete();
    cursor.continue();
  };`;

for (const sentence of Object.keys(contract)) {
  test(sentence, async (t) => {
    const page = await tab(t, await profile(t));
    await page.evaluate(async (sentence) => {
      const [{ contract }, { indexedDbStore }] = await Promise.all([import("/tests/stores/contract.mjs"), import("/pkg/stores/web.js")]);
      await contract[sentence](() => indexedDbStore({ sealed: true }));
    }, sentence);
  });
}

test("no token lies in the database, and the key shows itself to nobody", async (t) => {
  const context = await profile(t);
  const issuer = new Issuer(context);
  await issuer.ready;
  const [page, other] = [await coordinatorTab(t, context, { stores: { indexedDbStore } }), await coordinatorTab(t, context, { stores: { indexedDbStore } })];
  await page.evaluate((tokens) => auth.setTokens({ ...tokens, access_token: "access-token-0", id_token: "id-token" }), issuer.signIn());
  assert.equal(await accessToken(other), "access-token-0");
  assert.equal(await other.evaluate(() => auth.refresh().then(({ accessToken }) => accessToken)), "A2");
  const { version, entries, keys } = await database(page);
  assert.equal(version, 1, "the layout is the one that older versions know");
  assert.deepEqual(keys, [NOBODYS]);
  assert.equal(Object.keys(entries).length, 1);
  for (const text of ["access-token-0", "id-token", "R2", "active", "grants"]) assert.equal(Object.values(entries)[0].includes(text), false, text);
  // Somebody who has not sealed it sees what a record looks like.
  const open = await page.evaluate(async (key) => (await (await import("/pkg/stores/web.js")).indexedDbStore().read(key)).value, Object.keys(entries)[0]);
  for (const text of ["A2", "R2", "active", "grants"]) assert.ok(open.includes(text), text);
});

test("tabs that make the key at once end with one, and read each other", async (t) => {
  const context = await profile(t);
  const pages = await Promise.all([1, 2, 3, 4].map(() => storeTab(t, context)));
  const names = pages.map((_, number) => `of ${number}`);
  const written = await Promise.all(
    pages.map((page, number) =>
      page.evaluate((key) => Promise.all([0, 1, 2].map((n) => fresh().write(`${key}, ${n}`, key, { ifVersion: null }))), names[number]),
    ),
  );
  assert.equal(written.flat().every((version) => typeof version === "string"), true);
  assert.deepEqual((await database(pages[0])).keys, [NOBODYS]);
  for (const page of pages) {
    const read = await page.evaluate((names) => Promise.all(names.map(async (key) => (await sealed.read(`${key}, 2`)).value)), names);
    assert.deepEqual(read, names);
  }
});

test("a tab that made a key too late takes the one that is there", async (t) => {
  const context = await profile(t);
  const [page, late] = [await storeTab(t, context), await storeTab(t, context)];
  await late.evaluate(
    () =>
      new Promise((making) => {
        const generateKey = SubtleCrypto.prototype.generateKey;
        SubtleCrypto.prototype.generateKey = async function (...args) {
          const made = await generateKey.apply(this, args);
          making();
          await new Promise((resolve) => (globalThis.release = resolve));
          return made;
        };
        globalThis.writing = sealed.write("late", "of the late", { ifVersion: null });
      }),
  );
  await page.evaluate(() => sealed.write("k", "of the first", { ifVersion: null }));
  await late.evaluate(() => (release(), writing));
  const read = () => Promise.all(["k", "late"].map(async (key) => (await fresh().read(key)).value));
  for (const tab of [page, late]) assert.deepEqual(await tab.evaluate(read), ["of the first", "of the late"]);
  assert.deepEqual((await database(page)).keys, [NOBODYS]);
});

test("what was stored unsealed is read, keeps its version, and is sealed with the next write", async (t) => {
  const page = await storeTab(t, await profile(t));
  const version = await page.evaluate(() => plain.write("k", "before", { ifVersion: null }));
  assert.deepEqual(await page.evaluate(() => sealed.read("k")), { value: "before", version });
  assert.equal((await database(page)).entries.k, "before");
  const next = await page.evaluate((ifVersion) => sealed.write("k", "after", { ifVersion }), version);
  assert.equal(await page.evaluate((ifVersion) => sealed.write("k", "late", { ifVersion }), version), undefined);
  assert.equal((await database(page)).entries.k.includes("after"), false);
  // A tab that does not seal goes along, as long as there is one.
  assert.deepEqual(await page.evaluate(() => plain.read("k")), { value: "after", version: next });
  await page.evaluate((ifVersion) => plain.write("k", "unsealed", { ifVersion }), next);
  assert.equal((await database(page)).entries.k, "unsealed");
  assert.equal((await page.evaluate(() => sealed.read("k"))).value, "unsealed");
});

test("what was changed, or put in the place of another, does not open: it says so, and stays as it is", async (t) => {
  const page = await storeTab(t, await profile(t));
  const version = await page.evaluate(() => sealed.write("k", "of k", { ifVersion: null }));
  await page.evaluate(() => sealed.write("other", "of the other", { ifVersion: null }));
  const refused = () => page.evaluate(() => Promise.all([outcome(sealed.read("k")), outcome(fresh().read("k")), outcome(plain.read("k"))]));
  const SEALED = Array(3).fill("StoreError store-sealed");

  await tamper(page, 'records.get("other").onsuccess = ({ target }) => records.put({ ...target.result, version: argument }, "k");', version);
  assert.deepEqual(await refused(), SEALED);
  const change = `records.get("other").onsuccess = ({ target: { result } }) => {
    new Uint8Array(result.value.text)[3] ^= 1;
    records.put(result, "k");
  };`;
  await tamper(page, change);
  assert.deepEqual(await refused(), SEALED);
  assert.equal((await page.evaluate(() => sealed.read("other"))).value, "of the other");
  // Who has not read it does not overwrite it.
  assert.equal(await page.evaluate(() => sealed.write("k", "new", { ifVersion: null })), undefined);
});

test("a key that is gone: a StoreError and an event, until somebody signs in", async (t) => {
  const context = await profile(t);
  const issuer = new Issuer(context);
  await issuer.ready;
  const begin = () => coordinatorTab(t, context, { stores: { indexedDbStore } });
  const page = await begin();
  await page.evaluate((tokens) => auth.setTokens(tokens), issuer.signIn({ expired: true }));
  await tamper(page, LOSE_THE_KEY);
  const later = await begin();
  const failed = await later.evaluate(() => auth.getAccessToken().catch(({ name, code, message }) => ({ name, code, message })));
  assert.equal(failed.name, "StoreError");
  assert.equal(failed.code, "store-sealed");
  assert.match(failed.message, /key/);
  assert.equal((await happened(later, "store-failed")).operation, "read");
  assert.deepEqual(issuer.presentations, []);
  const { entries, keys } = await database(later);
  assert.deepEqual([Object.keys(entries).length, keys], [1, []], "what does not open is still there");

  await later.evaluate((tokens) => auth.setTokens(tokens), issuer.signIn());
  assert.equal(await accessToken(later), "A2");
  // The other tab hears of it a hop later.
  while ((await accessToken(page)) !== "A2");
  assert.deepEqual((await database(later)).keys, [NOBODYS]);
});

test("a database that was deleted under our hands: what is written next is sealed with a key that is there", async (t) => {
  const context = await profile(t);
  const [page, other] = [await storeTab(t, context), await storeTab(t, context)];
  await page.evaluate(() => sealed.write("k", "before", { ifVersion: null }));
  await other.evaluate(() => new Promise((resolve) => (indexedDB.deleteDatabase("refresh-coordinator").onsuccess = resolve)));
  assert.equal(typeof (await page.evaluate(() => sealed.write("k", "after", { ifVersion: null }))), "string");
  assert.equal((await other.evaluate(() => sealed.read("k"))).value, "after");
  assert.deepEqual((await database(page)).keys, [NOBODYS]);
});

test("over http from elsewhere than this machine nothing is stored, rather than unsealed", async (t) => {
  const page = await storeTab(t, await profile(t), insecureOrigin());
  assert.equal(await page.evaluate(() => outcome(sealed.write("k", "v", { ifVersion: null }))), "StoreError store-unavailable");
  assert.equal(await page.evaluate(() => sealed.read("k")), undefined);
});

test("sealed records and their mirror: what is not in the item lies sealed", async (t) => {
  const context = await profile(t);
  const issuer = new Issuer(context);
  await issuer.ready;
  const page = await coordinatorTab(t, context, { stores: { webStorageStore: { key: "session", sealed: true } } });
  await page.evaluate((tokens) => auth.setTokens(tokens), issuer.signIn());
  assert.equal(await page.evaluate(() => JSON.parse(localStorage.getItem("session")).accessToken), "A1");
  assert.equal(Object.values((await database(page)).entries)[0].includes("R1"), false);
  // Put right by a look.
  await page.evaluate(() => localStorage.removeItem("session"));
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
  while ((await page.evaluate(() => localStorage.getItem("session"))) === null);
  await page.evaluate(() => auth.signOut());
  assert.equal(await page.evaluate(() => localStorage.getItem("session")), null);
});

test("tabs that seal and tabs that do not, at one expiry: one rotation at a strict server", async (t) => {
  let made = 0;
  const { server, pages, session, counts } = await signedInTabs(t, 4, strict, {}, {
    furnish: (page) =>
      page.evaluate(async (sealed) => {
        const { indexedDbStore } = await import("/pkg/stores/web.js");
        globalThis.own = { store: indexedDbStore({ sealed }) };
      }, (made += 1) % 2 === 0),
  });
  const held = server.holdRequest();
  const told = pages.map((page) => calls(page, 5));
  await held.arrived;
  await queued(pages[0], pages.length - 1, told);
  held.release();
  const tokens = new Set((await Promise.all(told)).flat());
  assert.equal(tokens.size, 1, [...tokens].join(", "));
  assert.equal(counts().rotations, 1);
  assert.equal(server.oracle.presentations, 1);
  assert.equal(await server.hasSession(session), true);
});
