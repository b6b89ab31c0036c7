// Frames and windows without a usable IndexedDB: the session lives in the page's memory, and an event says so. A store that was
// asked for by name is never replaced: it says why it cannot be used.

import assert from "node:assert/strict";
import test from "node:test";

import { origin, profile, tab } from "./chromium.mjs";

/** What becomes of coordinators in the page: in its own source, so that it can run in a frame too. */
const trial = `async (pkg) => {
  const [{ RefreshCoordinator, StoreError }, { indexedDbStore }] = await Promise.all([import(pkg + "index.js"), import(pkg + "stores/web.js")]);
  const refresh = ({ refreshToken }) => ({ access_token: "A" + refreshToken, refresh_token: refreshToken + "'", expires_in: 3600 });
  const tokens = { access_token: "A0", refresh_token: "R0", expires_in: 3600 };
  const make = (options) => {
    const auth = new RefreshCoordinator({ name: "trial", refresh, ...options });
    const events = [];
    auth.subscribe((event) => event && events.push([event.type, event.what ?? event.operation].join(" ").trim()));
    return { auth, events };
  };
  const [one, two, named] = [make(), make(), make({ store: indexedDbStore() })];
  await one.auth.setTokens(tokens);
  const told = [await one.auth.getAccessToken(), await two.auth.getAccessToken()];
  told.push(...await Promise.all([one, two].flatMap(({ auth }) => [1, 2, 3].map(() => auth.refresh({ rejected: "A0" }).then((t) => t.accessToken)))));
  const failures = [];
  for (const call of [() => named.auth.setTokens(tokens), () => named.auth.getAccessToken(), () => named.auth.signOut()]) {
    const error = await call().catch((error) => error);
    failures.push({ typed: error instanceof StoreError, code: error.code, retryable: error.retryable, signInRequired: error.signInRequired });
  }
  const error = await named.auth.getAccessToken().catch((error) => error);
  const why = [error.message, error.cause.name, error.cause.cause.name];
  const presentations = one.auth.stats().presentations + two.auth.stats().presentations;
  await two.auth.signOut();
  told.push(await one.auth.refresh().catch((error) => error.name));
  return { told, presentations, failures, why, events: [one, two, named].map(({ events }) => [...new Set(events)]) };
}`;

const UNAVAILABLE = { typed: true, code: "store-unavailable", retryable: true, signInRequired: false };

function check(outcome, cause) {
  const { told, presentations, failures, why, events } = outcome;
  assert.deepEqual(told, ["A0", "A0", ...Array(6).fill("AR0"), "NoSessionError"]);
  assert.equal(presentations, 1);
  for (const heard of events.slice(0, 2)) {
    // Locks are not missed: the memory has some.
    assert.deepEqual(heard.filter((event) => /^(degraded|store-failed)/.test(event)), ["degraded store"]);
  }
  assert.deepEqual(failures, [UNAVAILABLE, UNAVAILABLE, UNAVAILABLE]);
  assert.equal(events[2].includes("degraded store"), false);
  assert.ok(events[2].includes("store-failed read"));
  assert.match(why[0], /memoryStore\(\)/);
  assert.equal(why[2], cause);
}

test("in a sandboxed frame, whose origin is its own", async (t) => {
  const page = await tab(t, await profile(t));
  const outcome = await page.evaluate(
    ([trial, pkg]) =>
      new Promise((resolve, reject) => {
        const frame = document.createElement("iframe");
        frame.sandbox = "allow-scripts";
        frame.srcdoc = `<script type="module">
          (${trial})("${pkg}").then((outcome) => parent.postMessage(outcome, "*"), (error) => parent.postMessage({ thrown: String(error) }, "*"));
        </script>`;
        addEventListener("message", ({ data }) => (data.thrown ? reject(new Error(data.thrown)) : resolve(data)));
        document.body.append(frame);
      }),
    [trial, `${origin()}/pkg/`],
  );
  check(outcome, "SecurityError");
});

for (const [where, prepare, cause] of [
  [
    "where the browser refuses to open a database",
    () => {
      IDBFactory.prototype.open = () => {
        throw new DOMException("A mutation operation was attempted on a database that did not allow mutations.", "InvalidStateError");
      };
    },
    "InvalidStateError",
  ],
  [
    "where even the name of IndexedDB may not be spoken",
    () => {
      Object.defineProperty(globalThis, "indexedDB", {
        get() {
          throw new DOMException("The operation is insecure.", "SecurityError");
        },
      });
    },
    "SecurityError",
  ],
  ["where IndexedDB is there in name only", () => Object.defineProperty(globalThis, "indexedDB", { value: null }), "TypeError"],
]) {
  test(where, async (t) => {
    const page = await tab(t, await profile(t, { prepare }));
    check(await page.evaluate(`(${trial})("/pkg/")`), cause);
  });
}

/** A page that opens databases as long as `refused` does not name an error. A coordinator in it has begun a session. */
async function page(t, refused) {
  const prepare = () => {
    const open = IDBFactory.prototype.open;
    IDBFactory.prototype.open = function (...args) {
      if (globalThis.refused) throw new DOMException("refused", globalThis.refused);
      const opening = open.apply(this, args);
      opening.addEventListener("success", () => (globalThis.connection = opening.result));
      return opening;
    };
  };
  const page = await tab(t, await profile(t, { prepare }));
  await page.evaluate(async (refused) => {
    globalThis.refused = refused;
    const { RefreshCoordinator } = await import("/pkg/index.js");
    const refresh = () => ({ access_token: "A1", refresh_token: "R1", expires_in: 3_600 });
    globalThis.make = () => new RefreshCoordinator({ name: "later", refresh });
    globalThis.auth = make();
    globalThis.degraded = new Promise((resolve) => auth.subscribe((event) => event?.type === "degraded" && resolve(event.what)));
    globalThis.signIn = () => auth.setTokens({ access_token: "A0", refresh_token: "R0", expires_in: 3_600 });
  }, refused);
  return page;
}

const code = (page, call) => page.evaluate(`${call}.then((value) => value?.accessToken ?? value, (error) => error.code)`);

test("what may pass is no reason to begin another session: it is a StoreError, and then IndexedDB is used after all", async (t) => {
  const there = await page(t, "UnknownError");
  assert.equal(await code(there, "signIn()"), "store-unavailable");
  await there.evaluate(() => void (globalThis.refused = undefined));
  assert.equal(await code(there, "signIn()"), "A0");
  assert.deepEqual(await there.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name)), ["refresh-coordinator"]);
});

test("a session that began in IndexedDB does not go on in memory", async (t) => {
  const there = await page(t);
  assert.equal(await code(there, "signIn()"), "A0");
  await there.evaluate(() => {
    globalThis.refused = "SecurityError";
    // As if the user had taken the permission away.
    connection.close();
  });
  assert.equal(await code(there, "auth.refresh()"), "store-unavailable");
  await there.evaluate(() => void (globalThis.refused = undefined));
  assert.equal(await code(there, "auth.refresh()"), "A1");
});

test("a session that began in memory does not go on in IndexedDB", async (t) => {
  const there = await page(t, "SecurityError");
  assert.equal(await code(there, "signIn()"), "A0");
  assert.equal(await there.evaluate(() => degraded), "store");
  await there.evaluate(() => void (globalThis.refused = undefined));
  assert.equal(await code(there, "auth.refresh()"), "A1");
  assert.deepEqual(await there.evaluate(() => indexedDB.databases()), []);
});
