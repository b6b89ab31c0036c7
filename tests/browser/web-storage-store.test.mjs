// webStorageStore() in real tabs: the contract of all stores, and what stands in localStorage for the app's other code.

import assert from "node:assert/strict";
import test from "node:test";

import { strict } from "../authorization-server/personalities.mjs";
import { contract } from "../stores/contract.mjs";
import { profile, tab } from "./chromium.mjs";
import { calls, signedInTabs } from "./signed-in-tabs.mjs";
import { accessToken, coordinatorTab, happened, Issuer } from "./single-use.mjs";

const ITEM = "session";
const webStorageStore = { key: ITEM };

/** So many tabs whose coordinators mirror their session. */
async function mirroredTabs(t, count, { prepare, expired, signedIn = true } = {}) {
  const context = await profile(t, { prepare });
  const issuer = new Issuer(context);
  await issuer.ready;
  const open = () => coordinatorTab(t, context, { stores: { webStorageStore } });
  const pages = [];
  for (let number = 0; number < count; number += 1) pages.push(await open());
  if (signedIn) await signIn(pages[0], issuer, { expired });
  return { context, issuer, pages, open };
}

const signIn = (page, issuer, options) => page.evaluate((tokens) => auth.setTokens(tokens), issuer.signIn(options));
const refresh = (page) => page.evaluate(() => auth.refresh({ mintedAfterNow: true }).then(({ accessToken }) => accessToken));

/** What other code finds in a tab: the item's access token, or what else there is. */
const found = (page) =>
  page.evaluate((item) => {
    const text = localStorage.getItem(item);
    return text?.startsWith("{") ? JSON.parse(text).accessToken : text;
  }, ITEM);

/** Waits until other code finds this in a tab: localStorage takes its time from tab to tab. */
async function finds(page, accessToken) {
  while ((await found(page)) !== accessToken);
}

for (const sentence of Object.keys(contract)) {
  test(sentence, async (t) => {
    const page = await tab(t, await profile(t));
    await page.evaluate(async (sentence) => {
      const [{ contract }, { webStorageStore }] = await Promise.all([import("/tests/stores/contract.mjs"), import("/pkg/stores/web.js")]);
      await contract[sentence](() => {
        // A store is for one session, so each key has one of its own.
        const stores = new Map();
        const of = (key) => {
          if (!stores.has(key)) stores.set(key, webStorageStore({ key: `item of ${key}` }));
          return stores.get(key);
        };
        return { read: (key) => of(key).read(key), write: (key, ...rest) => of(key).write(key, ...rest) };
      });
    }, sentence);
  });
}

test("the item shows the session as it is, without its refresh token, and is gone after the sign-out", async (t) => {
  const { pages } = await mirroredTabs(t, 2);
  const item = await pages[0].evaluate((item) => JSON.parse(localStorage.getItem(item)), ITEM);
  const { expiresAt, ...rest } = item;
  assert.ok(expiresAt > Date.now() && expiresAt < Date.now() + 3_600_001);
  assert.deepEqual(rest, { accessToken: "A1", extra: {} });
  assert.equal(await refresh(pages[1]), "A2");
  for (const page of pages) await finds(page, "A2");
  await pages[0].evaluate(() => auth.signOut());
  for (const page of pages) await finds(page, null);
});

test("a session that the server has ended is removed", async (t) => {
  const { issuer, pages } = await mirroredTabs(t, 1);
  // Somebody else presents the token.
  await pages[0].evaluate(() => present("R1"));
  assert.equal(await pages[0].evaluate(() => auth.refresh().catch((error) => error.name)), "RevokedError");
  assert.deepEqual(issuer.presentations, ["granted", "reused"]);
  assert.equal(await found(pages[0]), null);
});

test("the app's own items, each by a function of the tokens", async (t) => {
  const context = await profile(t, {
    prepare: () => {
      globalThis.storeOptions = {
        key: undefined,
        items: {
          access_token: ({ accessToken }) => accessToken,
          until: ({ expiresAt }) => String(Math.round((expiresAt - Date.now()) / 60_000)),
          secret: ({ refreshToken }) => refreshToken?.toLowerCase(),
          absent: () => undefined,
        },
      };
      localStorage.setItem("other", "stays");
    },
  });
  const issuer = new Issuer(context);
  await issuer.ready;
  const page = await coordinatorTab(t, context, { stores: { webStorageStore } });
  await signIn(page, issuer);
  assert.deepEqual(await items(page), { access_token: "A1", until: "60", secret: "r1", other: "stays" });
  await refresh(page);
  assert.deepEqual(await items(page), { access_token: "A2", until: "60", secret: "r2", other: "stays" });
  await page.evaluate(() => auth.signOut());
  assert.deepEqual(await items(page), { other: "stays" });
});

test("a change of the item is made within the transaction that it belongs to", async (t) => {
  const prepare = () => {
    globalThis.log = [];
    let last;
    const transaction = IDBDatabase.prototype.transaction;
    IDBDatabase.prototype.transaction = function (...args) {
      return (last = transaction.apply(this, args));
    };
    const note = (what) => {
      // Throws if it has ended, or if this is not one of its tasks.
      last.objectStore("records").count();
      log.push(`${what} in ${last.mode}`);
    };
    const storage = {
      getItem: (name) => localStorage.getItem(name),
      removeItem: (name) => (localStorage.removeItem(name), note("nothing")),
      setItem: (name, text) => (localStorage.setItem(name, text), note(JSON.parse(text).accessToken)),
    };
    globalThis.storeOptions = { storage };
  };
  const { issuer, pages } = await mirroredTabs(t, 1, { prepare });
  const [page] = pages;
  await refresh(page);
  // Put right after a look.
  await page.evaluate((item) => localStorage.setItem(item, "something else"), ITEM);
  await coordinatorLooks(page);
  await finds(page, "A2");
  await page.evaluate(() => auth.signOut());
  assert.deepEqual(await page.evaluate(() => log), ["A1 in readwrite", "A2 in readwrite", "A2 in readonly", "nothing in readwrite"]);
  assert.deepEqual(issuer.presentations, ["granted"]);
  assert.deepEqual(await page.evaluate(() => events.filter(({ type }) => type === "degraded")), []);
});

/** Makes the coordinator of a tab look at its store. */
const coordinatorLooks = (page) => page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));

test("tabs that refresh by turns leave the newest in the item of all", async (t) => {
  const { issuer, pages } = await mirroredTabs(t, 4);
  await Promise.all(
    pages.map((page) =>
      page.evaluate(async () => {
        for (let round = 0; round < 10; round += 1) await auth.refresh({ mintedAfterNow: true });
      }),
    ),
  );
  assert.equal(issuer.presentations.includes("reused"), false);
  const newest = `A${issuer.presentations.length + 1}`;
  for (const page of pages) await finds(page, newest);
});

test("what others write into the item decides nothing, and a tab that hears of it puts it right", async (t) => {
  const { context, issuer, pages } = await mirroredTabs(t, 1);
  const other = await tab(t, context);
  const forged = JSON.stringify({ accessToken: "forged", refreshToken: "forged", expiresAt: 1e15 });
  await other.evaluate(([item, text]) => localStorage.setItem(item, text), [ITEM, forged]);
  // The tab is asked for nothing.
  await finds(other, "A1");
  assert.equal(await accessToken(pages[0]), "A1");
  assert.equal(await refresh(pages[0]), "A2");
  assert.deepEqual(issuer.presentations, ["granted"]);
});

test("somebody who insists is put right once in a while only", async (t) => {
  const { context, pages } = await mirroredTabs(t, 1, {
    prepare: () => {
      globalThis.set = 0;
      const { setItem } = Storage.prototype;
      Storage.prototype.setItem = function (...args) {
        set += 1;
        return setItem.apply(this, args);
      };
    },
  });
  const rude = await tab(t, context);
  const [before, insisted] = [await pages[0].evaluate(() => set), 200];
  const heard = pages[0].evaluate(
    (last) => new Promise((resolve) => addEventListener("storage", ({ newValue }) => newValue === last && resolve())),
    String(insisted),
  );
  await rude.evaluate(
    async ([item, insisted]) => {
      for (let time = 1; time <= insisted; time += 1) {
        localStorage.setItem(item, String(time));
        await new Promise((resolve) => setTimeout(resolve));
      }
    },
    [ITEM, insisted],
  );
  await heard;
  const corrections = (await pages[0].evaluate(() => set)) - before;
  assert.ok(corrections <= insisted / 10, `${corrections} corrections`);
});

test("as long as nobody has signed in, what an app has in the item stays there", async (t) => {
  const { issuer, pages, context } = await mirroredTabs(t, 1, {
    signedIn: false,
    prepare: () => localStorage.getItem("session") ?? localStorage.setItem("session", "of an older version"),
  });
  assert.equal(await accessToken(pages[0]), "NoSessionError");
  assert.equal(await found(pages[0]), "of an older version");
  await signIn(pages[0], issuer);
  assert.equal(await found(pages[0]), "A1");
  assert.equal(await found(await tab(t, context)), "A1");
});

/** Fills the localStorage of a tab to the last character. */
const fill = (page) =>
  page.evaluate(() => {
    let filled = "x".repeat(1 << 20);
    for (let number = 0; filled !== ""; ) {
      try {
        localStorage.setItem(`filled ${number}`, filled);
        number += 1;
      } catch {
        filled = filled.slice(0, filled.length >> 1);
      }
    }
  });

/** What stands there beside. */
const items = (page) =>
  page.evaluate(() => Object.fromEntries(Object.entries(localStorage).filter(([name]) => !name.startsWith("filled"))));

/** Items as long as the issuer wants them. */
const asLongAs = () => {
  const items = { first: ({ extra }) => "a".repeat(extra.first), second: ({ extra }) => "b".repeat(extra.second) };
  globalThis.storeOptions = { key: undefined, items };
};
const long = (first, second) => ({ first: "a".repeat(first), second: "b".repeat(second) });

test("a full localStorage fails no call: there are no items, an event says so, and with space again they are back", async (t) => {
  const { issuer, pages, open } = await mirroredTabs(t, 1, { prepare: asLongAs, signedIn: false });
  const [page, other] = [pages[0], await open()];
  issuer.more = { first: 5, second: 5 };
  await signIn(page, issuer);
  await fill(page);
  // There would be space for the first.
  issuer.more = { first: 6, second: 1_000 };
  assert.equal(await refresh(page), "A2");
  assert.equal((await happened(page, "degraded")).what, "mirror");
  assert.deepEqual(await items(page), {});
  assert.equal(await accessToken(other), "A2");
  await page.evaluate(() => Object.keys(localStorage).forEach((name) => localStorage.removeItem(name)));
  assert.equal(await refresh(page), "A3");
  assert.deepEqual(await items(page), long(6, 1_000));
  assert.equal(await page.evaluate(() => events.filter(({ type }) => type === "degraded").length), 1);
});

test("in a full localStorage the space of the old items is there for the new ones", async (t) => {
  const { issuer, pages } = await mirroredTabs(t, 1, { prepare: asLongAs, signedIn: false });
  const [page] = pages;
  issuer.more = { first: 5, second: 1_000 };
  await signIn(page, issuer);
  await fill(page);
  issuer.more = { first: 1_000, second: 5 };
  assert.equal(await refresh(page), "A2");
  assert.deepEqual(await items(page), long(1_000, 5));
  assert.equal(await page.evaluate(() => events.some(({ type }) => type === "degraded")), false);
});

for (const [how, prepare] of [
  [
    "that throws",
    () =>
      Object.defineProperty(globalThis, "localStorage", {
        get() {
          throw new DOMException("The operation is insecure.", "SecurityError");
        },
      }),
  ],
  ["that is null", () => Object.defineProperty(globalThis, "localStorage", { value: null })],
]) {
  test(`a localStorage ${how} fails no call, and whoever subscribes at once hears of it`, async (t) => {
    const { issuer, pages } = await mirroredTabs(t, 2, { prepare, expired: true });
    assert.deepEqual(await Promise.all(pages.map(accessToken)), ["A2", "A2"]);
    assert.deepEqual(issuer.presentations, ["granted"]);
    for (const page of pages) assert.equal((await happened(page, "degraded")).what, "mirror");
    // Also a coordinator that has come later.
    const told = await pages[0].evaluate(async () => {
      const { RefreshCoordinator } = await import("/pkg/index.js");
      const later = new RefreshCoordinator({ name: "single-use", refresh: () => ({}), store });
      return new Promise((resolve) => later.subscribe((event) => event && resolve(`${event.type} ${event.what}`)));
    });
    assert.equal(told, "degraded mirror");
  });
}

test("a format that throws, or returns no text, fails no call, and leaves no half of the items", async (t) => {
  const { issuer, pages } = await mirroredTabs(t, 1, {
    prepare: () => {
      globalThis.wrong = false;
      const items = { good: ({ accessToken }) => accessToken, bad: ({ expiresAt }) => (globalThis.wrong ? expiresAt : "fine") };
      globalThis.storeOptions = { key: undefined, items };
    },
  });
  const [page] = pages;
  assert.deepEqual(await items(page), { good: "A1", bad: "fine" });
  await page.evaluate(() => void (globalThis.wrong = true));
  assert.equal(await refresh(page), "A2");
  assert.equal((await happened(page, "degraded")).what, "mirror");
  assert.deepEqual(await items(page), {});
  await page.evaluate(() => void (globalThis.wrong = false));
  assert.equal(await refresh(page), "A3");
  assert.deepEqual(await items(page), { good: "A3", bad: "fine" });
  assert.deepEqual(issuer.presentations, ["granted", "granted"]);
});

test("successors of tokens that are carried elsewhere are never mirrored", async (t) => {
  const { issuer, pages } = await mirroredTabs(t, 1, { signedIn: false });
  const renewed = await pages[0].evaluate((tokens) => auth.renew(tokens), issuer.signIn({ expired: true }));
  assert.equal(renewed.accessToken, "A2");
  const old = await pages[0].evaluate(() => auth.renew({ refresh_token: "R1" }));
  assert.equal(old.accessToken, "A2");
  assert.deepEqual(issuer.presentations, ["granted"]);
  assert.deepEqual(await items(pages[0]), {});
});

test("with the option sealKey it says that it cannot mirror what is sealed, and stores nothing", async (t) => {
  const context = await profile(t);
  const issuer = new Issuer(context);
  await issuer.ready;
  const page = await coordinatorTab(t, context, { stores: { webStorageStore }, sealKey: "0123456789abcdef" });
  const failed = await page.evaluate(
    (tokens) => auth.setTokens(tokens).catch(({ name, code, cause }) => ({ name, code, why: cause.message })),
    issuer.signIn(),
  );
  assert.equal(failed.name, "StoreError");
  assert.equal(failed.code, "store-sealed");
  assert.match(failed.why, /sealKey/);
  assert.equal(await accessToken(page), "NoSessionError");
});

test("it is for one session: another one is refused, and does not get into the item", async (t) => {
  const { issuer, pages } = await mirroredTabs(t, 1, { signedIn: false });
  const refused = await pages[0].evaluate(async (tokens) => {
    const [{ RefreshCoordinator }, { webStorageStore }] = await Promise.all([import("/pkg/index.js"), import("/pkg/stores/web.js")]);
    const store = webStorageStore({ key: "shared" });
    const [one, two] = ["one", "two"].map((session) => new RefreshCoordinator({ name: "sessions", session, refresh: () => ({}), store }));
    await one.setTokens(tokens);
    const error = await two.setTokens({ ...tokens, access_token: "of two" }).catch((error) => error);
    return [error.name, error.cause.message, JSON.parse(localStorage.getItem("shared")).accessToken];
  }, issuer.signIn());
  assert.equal(refused[0], "StoreError");
  assert.match(refused[1], /one session/);
  assert.equal(refused[2], "A1");
});

test("a worker has no localStorage: what it refreshes is in the item when a tab has looked", async (t) => {
  const { pages } = await mirroredTabs(t, 1);
  const inWorker = await pages[0].evaluate(
    () =>
      new Promise((resolve, reject) => {
        const source = `
          import { RefreshCoordinator } from "${location.origin}/pkg/index.js";
          import { webStorageStore } from "${location.origin}/pkg/stores/web.js";
          const refresh = () => ({ access_token: "of the worker", refresh_token: "R2", expires_in: 3600 });
          const auth = new RefreshCoordinator({ name: "single-use", refresh, store: webStorageStore({ key: "session" }) });
          const events = [];
          auth.subscribe((event) => event && events.push(event.type));
          const { accessToken } = await auth.refresh({ mintedAfterNow: true });
          setTimeout(() => postMessage([accessToken, events]));
        `;
        const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })), { type: "module" });
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.onmessage = ({ data }) => resolve(data);
      }),
  );
  assert.equal(inWorker[0], "of the worker");
  // Nothing is missing there.
  assert.equal(inWorker[1].includes("degraded"), false, String(inWorker[1]));
  await finds(pages[0], "of the worker");
});

test("four tabs with five callers each at one expiry: one rotation at a strict server, and its token in the item of each", async (t) => {
  const { server, pages, session, counts } = await signedInTabs(t, 4, strict, {}, {
    furnish: (page) =>
      page.evaluate(async (item) => {
        const { webStorageStore } = await import("/pkg/stores/web.js");
        globalThis.own = { store: webStorageStore({ key: item }) };
      }, ITEM),
  });
  const tokens = new Set((await Promise.all(pages.map((page) => calls(page, 5)))).flat());
  assert.equal(tokens.size, 1, [...tokens].join(", "));
  assert.equal(counts().rotations, 1);
  assert.equal(server.oracle.presentations, 1);
  assert.equal(await server.hasSession(session), true);
  for (const page of pages) await finds(page, [...tokens][0]);
});
