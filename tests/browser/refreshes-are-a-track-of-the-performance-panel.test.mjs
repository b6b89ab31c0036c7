// What a developer sees who records a page: in a trace of the browser, and by an observer of the page.

import assert from "node:assert/strict";
import test from "node:test";

import { unavailable } from "../authorization-server/faults.mjs";
import { strict } from "../authorization-server/personalities.mjs";
import { signedInTabs } from "./signed-in-tabs.mjs";

const TRACK = "refresh-coordinator";

/** What the page's own observer is told until there are so many entries. */
const observed = (page, count) => page.evaluate((count) => entries.seen(count), count);

const observe = (page) =>
  page.evaluate(() => {
    const seen = [];
    let look = () => {};
    new PerformanceObserver((list) => {
      seen.push(...list.getEntries().map(({ name, duration, detail }) => ({ name, duration, detail })));
      look();
    }).observe({ type: "measure" });
    const seenBy = (count) => new Promise((resolve) => (look = () => seen.length >= count && resolve(seen))).finally(() => (look = () => {}));
    globalThis.entries = { seen: (count) => (seen.length >= count ? seen : seenBy(count)) };
  });

const named = (entries) => entries.map(({ name }) => name).sort();

test("who presents shows the refresh and its request, who adopts shows that, and a call from memory shows nothing", async (t) => {
  const { pages, server } = await signedInTabs(t, 2, strict);
  for (const page of pages) await observe(page);
  const held = server.holdRequest();
  const [first, second] = pages;
  const token = first.evaluate(() => auth.getAccessToken());
  await held.arrived;
  const other = second.evaluate(() => auth.getAccessToken());
  held.release();
  assert.equal(await token, await other);
  assert.deepEqual(named(await observed(first, 2)), [`${TRACK}: refreshed`, `${TRACK}: request`]);
  assert.deepEqual(named(await observed(second, 1)), [`${TRACK}: adopted`]);
  for (const page of pages) {
    await page.evaluate(() => auth.getAccessToken());
    assert.equal(await page.evaluate(() => performance.getEntriesByType("measure").length), 0, "nothing piles up");
  }
  const [{ detail }] = (await observed(first, 2)).filter(({ name }) => name.endsWith("request"));
  assert.deepEqual(detail.devtools.properties, [["outcome", "granted"]]);
  assert.equal(detail.devtools.track, TRACK);
  const said = JSON.stringify([await observed(first, 2), await observed(second, 1)]);
  assert.ok(!said.includes(await token), "no token");
});

test("a refusal is named by its code", async (t) => {
  const { pages, server } = await signedInTabs(t, 1, strict);
  const [page] = pages;
  await observe(page);
  server.next(1, unavailable({ "access-control-allow-origin": "*" }));
  await page.evaluate(() => auth.getAccessToken().then(() => {}));
  const requests = (await observed(page, 3)).filter(({ name }) => name.endsWith("request"));
  assert.deepEqual(requests.map(({ detail }) => detail.devtools.properties[0][1]), ["server-error", "granted"]);
});

test("a recorded trace holds the track", async (t) => {
  const { pages } = await signedInTabs(t, 1, strict);
  const [page] = pages;
  const browser = page.context().browser();
  await browser.startTracing(page, { categories: ["blink.user_timing"] });
  await page.evaluate(() => auth.getAccessToken().then(() => {}));
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  const ours = traceEvents.filter(({ name, ph }) => name.startsWith(TRACK) && ph === "b");
  assert.deepEqual(named(ours), [`${TRACK}: refreshed`, `${TRACK}: request`]);
  for (const { args } of ours) assert.equal(JSON.parse(args.detail).devtools.track, TRACK);
});
