// The tab whose turn it is hangs, with the lock in its hands: its request gets no answer, a dialog is open in it, or it stands still. The other tabs are served while there is anything to serve, are told in bounded time when there is not, never send
// the token a second time, and go on as soon as the one that hangs does or gives up.

import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";

import { grace, strict } from "../authorization-server/personalities.mjs";
import { devtools } from "./chromium.mjs";
import { halt } from "./renderer.mjs";
import { calls, LIFETIME, presenter, queued, tabsWithClocks } from "./signed-in-tabs.mjs";

const TABS = 3;
const CALLERS = 5;
/** The coordinator's own, in milliseconds: one attempt; how long callers wait for others. */
const TIMEOUT = 10_000;
const LOCK_WAIT = 16_000;
/** The longest one after a first failure, in milliseconds. */
const COOL_DOWN = 1_000;
/** Within the advisory window: a refresh is begun, and the token is served meanwhile. */
const A_MINUTE = 60_000;

/** Tabs with a token that has so much life left, in milliseconds. */
async function tabsWithATokenThatEndsIn(t, left) {
  const all = await tabsWithClocks(t, TABS, strict);
  for (const page of all.pages) [all.token] = await calls(page, 1);
  await all.putAhead(LIFETIME - left);
  return all;
}

/** No token is left, and the server keeps what the first tab has sent; the others wait behind it. */
async function oneHangs(t, personality, options, hold = "holdRequest") {
  const all = await tabsWithClocks(t, TABS, personality, options);
  const held = all.server[hold]();
  const told = all.pages.map((page) => calls(page, CALLERS));
  await held.arrived;
  const holder = await presenter(all.pages);
  await queued(holder, TABS - 1, told);
  const others = all.pages.filter((page) => page !== holder);
  // Its clock last: what it writes into the store when its time is over would lie ahead of the others' clocks.
  const putAllAhead = async (ms) => {
    await all.putAhead(ms, others);
    await all.putAhead(ms, [holder]);
  };
  return { ...all, told, holder, putAhead: putAllAhead };
}

const tellsAll = async (told) => [...new Set((await Promise.all(told)).flat())];

async function assertServed({ server, session }, told) {
  assert.equal(told.length, 1, `what callers were told: ${told.join(", ")}`);
  assert.equal(await server.isActive(told[0]), true);
  assert.equal(await server.hasSession(session), true);
}

// Symptom of supabase/supabase-js#2013 and auth0/auth0-spa-js#275.
test("the server does not answer one tab, and the token has a minute left: every tab goes on with it at once", async (t) => {
  const { server, pages, token } = await tabsWithATokenThatEndsIn(t, A_MINUTE);
  const before = server.oracle.presentations;
  const held = server.holdRequest();
  assert.deepEqual(await calls(pages[0], CALLERS), [token]);
  await held.arrived;
  for (const page of pages) assert.deepEqual(await calls(page, CALLERS), [token]);
  assert.equal(server.oracle.presentations, before + 1);
});

test("the server does not answer one tab, and no token is left: after its time another request is made, and all tabs are served by it", async (t) => {
  const all = await oneHangs(t, strict);
  const { server, holder, putAhead, told, counts } = all;
  const again = once(server.oracle, "presentation");
  await putAhead(TIMEOUT);
  await holder.waitForFunction(() => auth.stats().refusals === 1);
  await putAhead(COOL_DOWN);
  await again;
  await assertServed(all, await tellsAll(told));
  assert.deepEqual([server.oracle.presentations, counts().rotations], [2, 1]);
});

// Symptom of auth0/auth0-spa-js#589 and workos/authkit-js#117: time-outs that ran on while the laptop was asleep.
test("the laptop sleeps for a night in the middle of it: in the morning the calls of the evening are served, and nobody is told of a failure", async (t) => {
  const all = await oneHangs(t, strict);
  const { server, holder, putAhead, told, counts } = all;
  await putAhead(8 * 3_600_000);
  // What has slept has not waited: the time limits begin once more.
  await putAhead(TIMEOUT);
  await holder.waitForFunction(() => auth.stats().refusals === 1);
  await putAhead(COOL_DOWN);
  await assertServed(all, await tellsAll(told));
  assert.deepEqual([server.oracle.presentations, counts().rotations], [2, 1]);
});

test("the server rotates and does not answer: with grace the next request serves all tabs; a strict server has ended the session, and all say why", async (t) => {
  for (const [personality, options] of [
    [strict, {}],
    [grace, { grace: 60 }],
  ]) {
    const all = await oneHangs(t, personality, options, "holdReply");
    const again = once(all.server.oracle, "presentation");
    await all.putAhead(TIMEOUT);
    await all.holder.waitForFunction(() => auth.stats().refusals === 1);
    await all.putAhead(COOL_DOWN);
    await again;
    const told = await tellsAll(all.told);
    if (personality === grace) await assertServed(all, told);
    else assert.deepEqual(told, ["RevokedError response-lost"]);
    assert.equal(all.server.oracle.presentations, 2);
  }
});

/** What a tab's end of the exchange may come to in mid-exchange, and how it goes on from there. */
const stops = {
  // Nothing runs in a page while it shows one.
  "shows a dialog": async (page) => {
    const shown = new Promise((resolve) => page.once("dialog", resolve));
    await page.evaluate(() => void setTimeout(() => alert("Still there?")));
    const dialog = await shown;
    return () => dialog.accept();
  },
  "stands still": async (page, t) => {
    const goOn = await halt(page);
    // Nothing ends while it is halted.
    t.after(goOn);
    return goOn;
  },
};

/** The first tab is stopped while its reply is on the way, and the token has a minute left. */
async function oneStops(t, stop) {
  const all = await tabsWithATokenThatEndsIn(t, A_MINUTE);
  const { server, pages, token } = all;
  const [holder, ...others] = pages;
  const held = server.holdReply();
  assert.deepEqual(await calls(holder, 1), [token]);
  await held.arrived;
  const goOn = await stop(holder, t);
  held.release();
  return { ...all, holder, others, goOn };
}

/** Since the tabs have had their first token, one request was made, and all are served by it. */
async function assertServedByTheOneRequest(all) {
  await assertServed(all, await tellsAll(all.pages.map((page) => calls(page, CALLERS))));
  assert.equal(all.server.oracle.presentations, 2);
}

for (const [how, stop] of Object.entries(stops)) {
  test(`the tab whose turn it is ${how}: the others go on with the token while it lasts, are told when it ends, and are served when that tab goes on`, async (t) => {
    const all = await oneStops(t, stop);
    const { server, holder, others, putAhead, token, goOn } = all;
    for (const page of others) assert.deepEqual(await calls(page, CALLERS), [token]);

    await putAhead(A_MINUTE, others);
    const told = others.map((page) => calls(page, CALLERS));
    await queued(others[0], others.length);
    // Behind those who were served while there was a token a refresh had begun: it queues anew after so long a pause.
    for (const page of others) await page.evaluate((ms) => asleep(2, ms), LOCK_WAIT);
    await putAhead(LOCK_WAIT, others);
    assert.deepEqual(await tellsAll(told), ["TransientError busy"]);
    assert.equal(server.oracle.presentations, 2, "nobody takes over from a tab that may go on any moment");

    await goOn();
    await holder.waitForFunction(() => auth.getSnapshot().generation === 2);
    await assertServedByTheOneRequest(all);
  });
}

// Symptom of supabase/supabase-js#2426: Chrome's Memory Saver. How much still runs in a frozen page is up to the browser.
test("the browser freezes the tab whose turn it is, and the token has a minute left: the others go on at once, and all are served by its request", async (t) => {
  const all = await oneStops(t, async (page) => {
    const session = await devtools(page);
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    return () => session.send("Page.setWebLifecycleState", { state: "active" });
  });
  for (const page of all.others) assert.equal(await all.server.isActive((await calls(page, CALLERS))[0]), true);
  await all.goOn();
  // Who had to wait for the frozen tab is told a hop later.
  for (const page of all.pages) while ((await calls(page, 1))[0] === all.token);
  await assertServedByTheOneRequest(all);
});
