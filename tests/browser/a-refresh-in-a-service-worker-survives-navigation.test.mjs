// The example of a service worker, in Chromium and at a real authorization server.

import assert from "node:assert/strict";
import test from "node:test";

import { strict } from "../authorization-server/personalities.mjs";
import { profile, tab } from "./chromium.mjs";
import { calls } from "./coordinators.mjs";
import { startExample } from "./example-pages.mjs";
import { kill } from "./renderer.mjs";
import { becomes } from "./single-use.mjs";
import { stopServiceWorker } from "./workers.mjs";

/** So many tabs that are signed in, by the form of the first one. `worker` takes the place of the example's. */
async function signedIn(t, count, { worker } = {}) {
  const example = await startExample(t, "service-worker", strict);
  if (worker) example.replace("service-worker.js", worker);
  const context = await profile(t);
  const open = () => tab(t, context, example.origin);
  const pages = [await open()];
  const [page] = pages;
  await page.evaluate(() => navigator.serviceWorker.ready);
  while (pages.length < count) pages.push(await open());
  await page.fill("input", example.refreshToken);
  await page.click("#sign-in button");
  await Promise.all(pages.map((page) => becomes(page, "active")));
  const stop = () => stopServiceWorker(page);
  return { ...example, context, open, pages, page, stop };
}

async function assertLives({ server, session, counts }, told, presentations = 1) {
  const tokens = [...new Set(told.flat())];
  assert.equal(tokens.length, 1, `what callers were told: ${tokens.join(", ")}`);
  assert.equal(await server.isActive(tokens[0]), true);
  assert.equal(await server.hasSession(session), true);
  assert.equal(server.oracle.presentations, presentations);
  assert.equal(counts().rotations, 1);
}

test("three tabs with 500 callers each at one expiry: one request, and the same token in all", async (t) => {
  const all = await signedIn(t, 3);
  await assertLives(all, await Promise.all(all.pages.map((page) => calls(page, 500))));
});

for (const hold of ["holdRequest", "holdReply"]) {
  const when = hold === "holdReply" ? "after" : "before";
  test(`the only tab goes to the next page ${when} the server has rotated: that page has the token`, async (t) => {
    const all = await signedIn(t, 1);
    const held = all.server[hold]();
    const lost = calls(all.page, 5).catch(() => "gone");
    await held.arrived;
    await all.page.click("a");
    await all.page.waitForURL(/next/);
    const told = calls(all.page, 5);
    held.release();
    await assertLives(all, [await told]);
    assert.equal(await lost, "gone");
  });

  test(`the only tab is closed ${when} the server has rotated: one that is opened later has the token`, async (t) => {
    const all = await signedIn(t, 1);
    const held = all.server[hold]();
    const lost = calls(all.page, 5).catch(() => "gone");
    await held.arrived;
    await all.page.close();
    held.release();
    await assertLives(all, [await calls(await all.open(), 5)]);
    assert.equal(await lost, "gone");
  });
}

test("the tab that asked is killed in mid-refresh: one that is opened later has the token, if the worker was in another process", async (t) => {
  const all = await signedIn(t, 2);
  const [, page] = all.pages;
  const held = all.server.holdReply();
  const lost = calls(page, 5).catch(() => "gone");
  await held.arrived;
  await kill(page);
  held.release();
  await assertLives(all, [await calls(all.page, 5), await calls(await all.open(), 5)]);
  assert.equal(await lost, "gone");
});

/** The example's worker, with something before it. */
const served = (options, before = "") => `${before}
  import { RefreshCoordinator } from "refresh-coordinator";
  import { serve, waitUntil } from "refresh-coordinator/worker";
  import { clientId, tokenEndpoint } from "./settings.js";
  addEventListener("install", () => skipWaiting());
  addEventListener("activate", (event) => event.waitUntil(clients.claim()));
  serve(new RefreshCoordinator({ clientId, tokenEndpoint, waitUntil, ${options} }));`;

/** Tells how many calls the browser is asked to stay alive for. */
const COUNTING = `
  const channel = new BroadcastChannel("events");
  let held = 0;
  const { waitUntil: real } = ExtendableEvent.prototype;
  ExtendableEvent.prototype.waitUntil = function (until) {
    real.call(this, until);
    channel.postMessage((held += 1));
    const over = () => channel.postMessage((held -= 1));
    until.then(over, over);
  };`;

/** Makes a page count along, as \`held\`. */
const countAlong = (page) =>
  page.evaluate(() => {
    globalThis.held = 0;
    new BroadcastChannel("events").onmessage = ({ data }) => {
      held = data;
      dispatchEvent(new Event("held"));
    };
  });

const isHeld = (page, wanted) =>
  page.evaluate(
    (wanted) =>
      new Promise((resolve) => {
        const look = () => held > 0 === wanted && resolve(held);
        addEventListener("held", look);
        look();
      }),
    wanted,
  );

test("the browser is asked to keep the worker until the refresh is stored, also if nobody waits for it any more", async (t) => {
  // The import is hoisted, but nothing of it calls the method before there is an event.
  const all = await signedIn(t, 2, { worker: served("", COUNTING) });
  const [page, other] = all.pages;
  await countAlong(other);
  const held = all.server.holdReply();
  const lost = calls(page, 1).catch(() => "gone");
  await held.arrived;
  await isHeld(other, true);
  await page.close();
  await lost;
  assert.ok((await isHeld(other, true)) > 0);
  held.release();
  await isHeld(other, false);
  // What was waited for is in the store: a worker that knows nothing finds it there.
  await stopServiceWorker(other);
  await assertLives(all, [await calls(other, 5)]);
});

/** A clock that a page can put forward, by so many milliseconds. */
const MOVABLE = `
  let ahead = 0;
  new BroadcastChannel("ahead").onmessage = ({ data }) => ((ahead = data), new BroadcastChannel("moved").postMessage(data));
  const clock = {
    now: () => Date.now() + ahead,
    monotonic: () => performance.now() + ahead,
    sleep: (ms, signal) => new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)));
    }),
  };`;

test("the browser is asked to keep the worker for a refresh ahead of need, although its caller has an answer", async (t) => {
  const all = await signedIn(t, 2, { worker: served("clock", COUNTING + MOVABLE) });
  const [page, other] = all.pages;
  const first = await calls(page, 1);
  await page.evaluate(
    (ahead) =>
      new Promise((resolve) => {
        new BroadcastChannel("moved").onmessage = resolve;
        new BroadcastChannel("ahead").postMessage(ahead);
      }),
    // A minute is left, which is in the advisory window.
    3_540_000,
  );
  await countAlong(other);
  const held = all.server.holdReply();
  assert.deepEqual(await calls(page, 1), first, "it has an answer at once");
  await held.arrived;
  assert.ok((await isHeld(other, true)) > 0, "and the refresh behind it is not over");
  held.release();
  await isHeld(other, false);
  assert.equal(all.counts().rotations, 2);
});

test("a coordinator without `waitUntil` is refused in a service worker", async (t) => {
  const worker = `
    import { RefreshCoordinator } from "refresh-coordinator";
    import { serve } from "refresh-coordinator/worker";
    import { clientId, tokenEndpoint } from "./settings.js";
    let wrong;
    try { serve(new RefreshCoordinator({ clientId, tokenEndpoint })); } catch (error) { wrong = error; }
    addEventListener("fetch", (event) => event.request.url.endsWith("/wrong") && event.respondWith(Response.json(wrong)));
    addEventListener("install", () => skipWaiting());
    addEventListener("activate", (event) => event.waitUntil(clients.claim()));`;
  const example = await startExample(t, "service-worker", strict);
  example.replace("service-worker.js", worker);
  const page = await tab(t, await profile(t), example.origin);
  const wrong = await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    while (navigator.serviceWorker.controller === null) await new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve));
    return (await fetch("/wrong")).json();
  });
  assert.deepEqual({ name: wrong.name, code: wrong.code }, { name: "ConfigurationError", code: "wait-until-missing" });
});

test("the worker was stopped while nobody needed it: the next call starts it, and the session is there", async (t) => {
  const all = await signedIn(t, 2);
  const before = await calls(all.page, 5);
  await all.stop();
  assert.equal(await all.page.evaluate(() => auth.getSnapshot().status), "active");
  await assertLives(all, [before, await calls(all.page, 5), await calls(all.pages[1], 5)]);
  assert.equal(await all.page.evaluate(() => auth.getSnapshot().status), "active");
});

test("the worker is stopped in mid-refresh, before the server has rotated: whoever waits has the token", async (t) => {
  const all = await signedIn(t, 2);
  const held = all.server.holdRequest();
  const told = all.pages.map((page) => calls(page, 5));
  await held.arrived;
  await all.stop();
  held.release();
  await assertLives(all, await Promise.all(told), 2);
});

test("a sign-out is seen by a tab that has not spoken to the worker since it was stopped", async (t) => {
  const all = await signedIn(t, 3);
  await Promise.all(all.pages.map((page) => calls(page, 1)));
  await all.stop();
  await all.page.evaluate(() => auth.signOut());
  await Promise.all(all.pages.map((page) => becomes(page, "signed-out")));
  for (const page of all.pages) assert.deepEqual(await calls(page, 2), ["NoSessionError no-session"]);
});

test("a tab that only looks sees what there is, whether the worker knows it already or not", async (t) => {
  const all = await signedIn(t, 1);
  await calls(all.page, 1);
  await all.stop();
  const page = await all.open();
  await becomes(page, "active");
  await all.page.evaluate(() => auth.signOut());
  await becomes(page, "signed-out");
  assert.equal(all.server.oracle.presentations, 1);
});

test("another version of the worker takes over: the calls go on there", async (t) => {
  const all = await signedIn(t, 2);
  const first = await calls(all.page, 1);
  all.replace("service-worker.js", served("timeout: 9_000"));
  await all.page.evaluate(async () => {
    const changed = new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve));
    await (await navigator.serviceWorker.ready).update();
    await changed;
  });
  await assertLives(all, [first, ...(await Promise.all(all.pages.map((page) => calls(page, 5))))]);
});

test("a worker of another version of the package: a ConfigurationError, until it is replaced", async (t) => {
  const other = `
    addEventListener("install", () => skipWaiting());
    addEventListener("activate", (event) => event.waitUntil(clients.claim()));
    addEventListener("message", ({ data, source }) => source.postMessage({ "refresh-coordinator": 2, name: data.name, type: "version", to: data.from }));`;
  const example = await startExample(t, "service-worker", strict);
  example.replace("service-worker.js", other);
  const page = await tab(t, await profile(t), example.origin);
  assert.deepEqual(await calls(page, 5), ["ConfigurationError worker-version"]);
  example.restore("service-worker.js");
  await page.evaluate(async () => {
    const changed = new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve));
    await (await navigator.serviceWorker.ready).update();
    await changed;
  });
  await page.evaluate((refresh_token) => auth.setTokens({ refresh_token }), example.refreshToken);
  await assertLives(example, [await calls(page, 5)]);
});

test("a page that comes back from the back/forward cache sees what it missed", async (t) => {
  const { pages, origin } = await signedIn(t, 2);
  const [page, other] = pages;
  await page.evaluate(() => (globalThis.same = true));
  await page.goto(`${origin}/index.html?elsewhere`);
  await other.evaluate(() => auth.signOut());
  await page.goBack({ waitUntil: "commit" });
  await becomes(page, "signed-out");
  assert.equal(await page.evaluate(() => globalThis.same), true, "it was loaded again");
});
