// Frames and windows without a usable IndexedDB: nothing throws at construction, and what fails says why.

import assert from "node:assert/strict";
import test from "node:test";

import { origin, profile, tab } from "./chromium.mjs";

/** What becomes of a coordinator in the page: in its own source, so that it can run in a frame too. */
const trial = `async (pkg) => {
  const { RefreshCoordinator, StoreError, memoryStore } = await import(pkg);
  const events = [];
  const refresh = () => ({ access_token: "A1", refresh_token: "R1", expires_in: 3600 });
  const tokens = { access_token: "A0", refresh_token: "R0", expires_in: 3600 };
  const auth = new RefreshCoordinator({ name: "trial", refresh });
  auth.subscribe((event) => event && events.push(event.type));
  const failures = [];
  for (const call of [() => auth.setTokens(tokens), () => auth.getAccessToken(), () => auth.signOut()]) {
    const error = await call().catch((error) => error);
    failures.push({ typed: error instanceof StoreError, code: error.code, retryable: error.retryable, signInRequired: error.signInRequired });
  }
  const error = await auth.getAccessToken().catch((error) => error);
  const inMemory = new RefreshCoordinator({ name: "trial", refresh, store: memoryStore() });
  await inMemory.setTokens(tokens);
  return { failures, events: [...new Set(events)], why: [error.message, error.cause.name, error.cause.cause.name], inMemory: await inMemory.getAccessToken() };
}`;

const UNAVAILABLE = { typed: true, code: "store-unavailable", retryable: true, signInRequired: false };

function check(outcome, cause) {
  assert.deepEqual(outcome.failures, [UNAVAILABLE, UNAVAILABLE, UNAVAILABLE]);
  assert.deepEqual(outcome.events, ["store-failed"]);
  assert.match(outcome.why[0], /memoryStore\(\)/);
  assert.equal(outcome.why[2], cause);
  assert.equal(outcome.inMemory, "A0");
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
    [trial, `${origin()}/pkg/index.js`],
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
    check(await page.evaluate(`(${trial})("/pkg/index.js")`), cause);
  });
}
