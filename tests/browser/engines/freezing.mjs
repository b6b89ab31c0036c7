// What must hold where a tab can be frozen: nothing of it runs any more, as when the browser saves memory or power, and it keeps
// what it holds.

import assert from "node:assert/strict";
import test from "node:test";

import { strict } from "../../authorization-server/personalities.mjs";
import { calls, queued } from "../coordinators.mjs";
import { assertLives, CALLERS, inMidExchange, nextInTheQueue, othersAreTold } from "./mid-exchange.mjs";
import { LIFETIME } from "./signed-in.mjs";

export function freezing(tabs) {
  for (const [when, hold] of [
    ["on its way", "holdRequest"],
    ["answered", "holdReply"],
  ]) {
    test(`a tab is frozen while its request is ${when}: the others are busy, and nothing is presented twice when it goes on`, async (t) => {
      const all = await tabs(t, strict);
      const { held, told, first, others } = await inMidExchange(all, hold);
      await freeze(first);
      held.release();
      await outOfPatience(others);
      assert.deepEqual(await othersAreTold(told, first), ["TransientError busy"]);
      await first.thaw();
      await assertNoSecondPresentation(all, await told.get(first));
    });
  }

  test("a tab is frozen between its lock and its claim: the others are busy, and it presents once when it goes on", async (t) => {
    const all = await tabs(t, strict);
    const [first, ...others] = all.pages;
    const { told: claiming } = await beforeTheClaim(first);
    const told = new Map(others.map((tab) => [tab, calls(tab, CALLERS)]));
    await queued(first, others.length, [...told.values()]);
    await freeze(first);
    await outOfPatience(others);
    assert.deepEqual(await othersAreTold(told), ["TransientError busy"]);
    assert.equal(all.server.oracle.presentations, 0);
    await first.thaw();
    await first.evaluate(() => goOn());
    await assertNoSecondPresentation(all, await claiming);
  });

  test("a tab is frozen while it presents ahead of need: the others go on with the token that is still valid", async (t) => {
    const all = await tabs(t, strict, { options: { mandatoryWindow: MINUTES } });
    const [valid] = await calls(all.pages[0], 1);
    for (const tab of all.pages) assert.deepEqual(await calls(tab, 1), [valid]);
    for (const tab of all.pages) await tab.evaluate((ahead) => (globalThis.ahead = ahead), LIFETIME - MINUTES);
    const [first, ...others] = all.pages;
    const { told: claiming } = await beforeTheClaim(first);
    const told = new Map(others.map((tab) => [tab, calls(tab, CALLERS)]));
    await queued(first, others.length, [...told.values()]);
    await freeze(first);
    await outOfPatience(others);
    assert.deepEqual(await othersAreTold(told), [valid]);
    await first.thaw();
    await first.evaluate(() => goOn());
    const renewed = await claiming;
    assert.notDeepEqual(renewed, [valid]);
    await assertLives(all, renewed);
    assert.equal(all.server.oracle.presentations, 2);
  });

  test("the next in the queue is frozen: the others go on at this expiry and the next one, and it has their token when it goes on", async (t) => {
    const all = await tabs(t, strict);
    const { held, told, first, others } = await inMidExchange(all, "holdRequest");
    const next = await nextInTheQueue(others);
    await freeze(next);
    held.release();
    await assertLives(all, await othersAreTold(told, next));
    const awake = all.pages.filter((tab) => tab !== next);
    for (const tab of awake) await tab.evaluate((ahead) => (globalThis.ahead = ahead), LIFETIME);
    const outcome = [...new Set((await Promise.all(awake.map((tab) => calls(tab, CALLERS)))).flat())];
    await assertLives(all, outcome);
    await next.thaw();
    assert.deepEqual(await told.get(next), outcome);
    assert.deepEqual(await calls(next, CALLERS), outcome);
    const { rotations, reuses } = all.server.oracle.counts(all.session);
    assert.deepEqual({ presentations: all.server.oracle.presentations, rotations, reuses }, { presentations: 2, rotations: 2, reuses: 0 });
  });
}

/** Longer than a caller's patience. */
const MINUTES = 600_000;

/** The tab calls, and holds the lock, but does not claim before it is told to `goOn`. `told`: what becomes of its calls. */
async function beforeTheClaim(tab) {
  await tab.evaluate(() => {
    globalThis.beforeTheClaim = new Promise((resolve) => (globalThis.goOn = () => resolve()));
  });
  const told = calls(tab, CALLERS);
  await tab.evaluate(async () => {
    while ((await navigator.locks.query()).held.length === 0);
  });
  return { told };
}

/** Nothing of the tab runs for longer than any timer in it. */
async function freeze(tab) {
  await tab.evaluate((time) => restFor(time), MINUTES);
  await tab.freeze();
}

/** So much time goes by in these tabs that nobody in them waits any longer. */
async function outOfPatience(waiting) {
  for (const tab of waiting) await tab.evaluate(() => skip());
}

/** The tab that was frozen has a token, the others have the same, and the server has seen one request. */
async function assertNoSecondPresentation(all, told) {
  await assertLives(all, told);
  for (const tab of all.pages) assert.deepEqual(await calls(tab, CALLERS), told);
  const { rotations, reuses } = all.server.oracle.counts(all.session);
  assert.deepEqual({ presentations: all.server.oracle.presentations, rotations, reuses }, { presentations: 1, rotations: 1, reuses: 0 });
}
