// What a page gets without a word about it: one record, one lock and one channel for all tabs and workers of an origin.

import assert from "node:assert/strict";
import test from "node:test";

import { profile, tab } from "./chromium.mjs";
import { accessToken, becomes, coordinatorTab, happened, Issuer } from "./single-use.mjs";

async function tabs(t, count, { prepare, expired } = {}) {
  const context = await profile(t, { prepare });
  const issuer = new Issuer(context);
  await issuer.ready;
  const pages = [];
  for (let number = 0; number < count; number += 1) pages.push(await coordinatorTab(t, context));
  await pages[0].evaluate((tokens) => auth.setTokens(tokens), issuer.signIn({ expired }));
  return { context, issuer, pages };
}

test("a session begun in one tab is there in all, and in those opened later", async (t) => {
  const { context, pages } = await tabs(t, 3);
  assert.deepEqual(await Promise.all(pages.map(accessToken)), ["A1", "A1", "A1"]);
  assert.equal(await accessToken(await coordinatorTab(t, context)), "A1");
});

test("tabs that find the token expired at once present it once", async (t) => {
  const { issuer, pages } = await tabs(t, 5, { expired: true });
  const callers = pages.flatMap((page) => Array.from({ length: 5 }, () => accessToken(page)));
  assert.deepEqual(new Set(await Promise.all(callers)), new Set(["A2"]));
  assert.deepEqual(issuer.presentations, ["granted"]);
});

test("the one who refreshes holds the lock of the session, under its hashed key", async (t) => {
  const { issuer, pages } = await tabs(t, 1, { expired: true });
  let answer;
  issuer.before = new Promise((resolve) => (answer = resolve));
  const presented = issuer.presented();
  const token = accessToken(pages[0]);
  await presented;
  const { held } = await pages[0].evaluate(() => navigator.locks.query());
  answer();
  assert.equal(await token, "A2");
  const { session } = await happened(pages[0], "refreshed");
  assert.deepEqual(held.map(({ name, mode }) => ({ name, mode })), [{ name: session, mode: "exclusive" }]);
});

test("every session has a lock, whatever its hash begins with", async (t) => {
  const page = await tab(t, await profile(t));
  // By chance a hash in base64 begins with any of 64 characters, and a browser refuses some of them in the name of a lock.
  const without = await page.evaluate(async () => {
    const { RefreshCoordinator } = await import("/pkg/index.js");
    const without = [];
    const trial = async (session) => {
      let locked;
      const refresh = async () => {
        const { held } = await navigator.locks.query();
        locked = held.length;
        return { access_token: "A1", refresh_token: "R1", expires_in: 3_600 };
      };
      const auth = new RefreshCoordinator({ name: "locked", session, refresh });
      await auth.setTokens({ refresh_token: "R0" });
      await auth.getAccessToken();
      auth.close();
      if (locked !== 1) without.push(session);
    };
    for (let number = 0; number < 128; number += 1) await trial(`session ${number}`);
    return without;
  });
  assert.deepEqual(without, []);
});

test("a fresh token touches neither store nor lock nor channel", async (t) => {
  const prepare = () => {
    globalThis.touched = [];
    const spy = (of, name) => {
      const original = of.prototype[name];
      of.prototype[name] = function (...args) {
        touched.push(`${of.name}.${name}`);
        return original.apply(this, args);
      };
    };
    spy(IDBFactory, "open");
    spy(IDBDatabase, "transaction");
    spy(LockManager, "request");
    spy(LockManager, "query");
    spy(BroadcastChannel, "postMessage");
  };
  const { pages } = await tabs(t, 2, { prepare });
  for (const page of pages) {
    assert.equal(await accessToken(page), "A1");
    const touched = await page.evaluate(async () => {
      globalThis.touched.length = 0;
      for (let call = 0; call < 1_000; call += 1) await auth.getAccessToken();
      return globalThis.touched;
    });
    assert.deepEqual(touched, []);
  }
  // The spies work.
  const touched = new Set(await pages[0].evaluate(() => auth.refresh().then(() => touched)));
  for (const needed of ["IDBDatabase.transaction", "LockManager.request", "BroadcastChannel.postMessage"]) assert.ok(touched.has(needed), needed);
});

test("a sign-out in one tab is a sign-out in the others as soon as they hear of it, also in the one that refreshed last", async (t) => {
  const { pages } = await tabs(t, 3);
  const [one, two, three] = pages;
  assert.equal(await accessToken(two), "A1");
  assert.equal(await two.evaluate(() => auth.refresh().then((tokens) => tokens.accessToken)), "A2");
  // The others hear of it a hop later.
  for (const page of pages) while ((await accessToken(page)) !== "A2");
  await one.evaluate(() => auth.signOut());
  await Promise.all([becomes(two, "signed-out"), becomes(three, "signed-out")]);
  assert.deepEqual(await Promise.all(pages.map(accessToken)), Array(3).fill("NoSessionError"));
});

test("in the very task in which the announcement arrives, the old token is refused", async (t) => {
  const { pages } = await tabs(t, 2);
  const [one, two] = pages;
  assert.equal(await accessToken(two), "A1");
  const heard = two.evaluate(
    () =>
      new Promise((resolve) => {
        // Opened after the coordinator's, so it hears each message after it.
        const channel = new BroadcastChannel("refresh-coordinator");
        channel.onmessage = () => resolve(auth.getAccessToken().catch((error) => error.name));
        navigator.locks.request("listening", () => new Promise(() => {}));
      }),
  );
  while (!(await one.evaluate(async () => (await navigator.locks.query()).held.some(({ name }) => name === "listening"))));
  await one.evaluate(() => auth.signOut());
  assert.equal(await heard, "NoSessionError");
});

test("after a change of accounts in one tab no other one has the old account's token", async (t) => {
  const { issuer, pages } = await tabs(t, 2);
  const [one, two] = pages;
  assert.equal(await accessToken(two), "A1");
  await one.evaluate((tokens) => auth.setTokens(tokens), issuer.signIn());
  await happened(two, "signed-in");
  assert.equal(await accessToken(two), "A2");
});

test("a worker shares the session of its page", async (t) => {
  const { issuer, pages } = await tabs(t, 1, { expired: true });
  assert.equal(await accessToken(pages[0]), "A2");
  const inWorker = await pages[0].evaluate(
    () =>
      new Promise((resolve, reject) => {
        const source = `
          import { RefreshCoordinator } from "${location.origin}/pkg/index.js";
          const refresh = () => { throw new Error("the page has done it"); };
          const auth = new RefreshCoordinator({ name: "single-use", refresh });
          postMessage(await auth.getAccessToken());
          const over = () => auth.getSnapshot().status === "signed-out" && postMessage("signed-out");
          auth.subscribe(over);
        `;
        const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })), { type: "module" });
        const said = [];
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.onmessage = ({ data }) => {
          said.push(data);
          if (said.length === 1) auth.signOut();
          else resolve(said);
        };
      }),
  );
  assert.deepEqual(inWorker, ["A2", "signed-out"]);
  assert.deepEqual(issuer.presentations, ["granted"]);
});

for (const [what, prepare] of [
  ["absent", () => Object.defineProperty(Navigator.prototype, "locks", { value: undefined })],
  [
    "refused by every request",
    () => {
      LockManager.prototype.request = () => Promise.reject(new DOMException("The request was denied.", "SecurityError"));
    },
  ],
  [
    "throwing at once",
    () => {
      LockManager.prototype.request = () => {
        throw new DOMException("The request was denied.", "SecurityError");
      };
    },
  ],
  [
    "silent",
    () => {
      LockManager.prototype.request = () => new Promise(() => {});
    },
  ],
]) {
  test(`with locks that are ${what} the intent alone decides`, async (t) => {
    const { issuer, pages } = await tabs(t, 4, { prepare, expired: true });
    assert.deepEqual(new Set(await Promise.all(pages.map(accessToken))), new Set(["A2"]));
    assert.deepEqual(issuer.presentations, ["granted"]);
    // Not every tab gets as far as to ask for a lock.
    assert.equal((await Promise.race(pages.map((page) => happened(page, "degraded")))).what, "locks");
  });
}

test("without a BroadcastChannel those who wait look for themselves", async (t) => {
  const prepare = () => {
    delete globalThis.BroadcastChannel;
    LockManager.prototype.request = () => Promise.reject(new DOMException("The request was denied.", "SecurityError"));
  };
  const { issuer, pages } = await tabs(t, 3, { prepare, expired: true });
  assert.deepEqual(new Set(await Promise.all(pages.map(accessToken))), new Set(["A2"]));
  assert.deepEqual(issuer.presentations, ["granted"]);
});
