// What must hold in every engine when a page goes to another one in mid-exchange and comes back. In between it may have rested in
// the back/forward cache, with everything that was under way in it, or be loaded anew: that is the browser's choice.

import assert from "node:assert/strict";
import test from "node:test";

import { PUBLIC_CLIENT } from "../../authorization-server/provider.mjs";
import { grace, strict } from "../../authorization-server/personalities.mjs";
import { calls, queued } from "../coordinators.mjs";
import { assertLives, CALLERS, inMidExchange, nextInTheQueue, othersAreTold } from "./mid-exchange.mjs";

export function resting(engine, tabs) {
  test("the tab that presents goes to another page and comes back: nobody waits for it, and it has the same token", async (t) => {
    const all = await tabs(t, grace);
    const { held, told, first, others } = await inMidExchange(all, "holdRequest");
    await first.evaluate(asksBefore, CALLERS);
    await first.navigate("/elsewhere");
    const outcome = await othersAreTold(told, first);
    await assertLives(all, outcome);
    held.release();
    await comesBack(all, first, outcome);
    for (const tab of [first, ...others]) assert.deepEqual(await calls(tab, CALLERS), outcome);
  });

  test("the next in the queue goes to another page, and the tab that presents is closed: the others go on", async (t) => {
    const all = await tabs(t, strict);
    const { told, first, others } = await inMidExchange(all, "holdRequest");
    const next = await nextInTheQueue(others);
    await next.evaluate(asksBefore, CALLERS);
    await next.navigate("/elsewhere");
    await first.close();
    const outcome = await othersAreTold(told, first, next);
    await assertLives(all, outcome);
    await comesBack(all, next, outcome);
    for (const tab of others) assert.deepEqual(await calls(tab, CALLERS), outcome);
    assert.equal(all.server.oracle.counts(all.session).rotations, 1);
  });

  test("a tab that waits rests for longer than its callers have patience, and nobody is left when it comes back: it goes on", async (t) => {
    const all = await tabs(t, strict, { count: 2 });
    const { first, others } = await inMidExchange(all, "holdRequest");
    const [waiting] = others;
    await waiting.evaluate(asksBefore, CALLERS);
    await waiting.navigate("/elsewhere");
    await first.close();
    await comesBack(all, waiting);
    await assertLives(all, await calls(waiting, CALLERS));
    assert.equal(all.server.oracle.counts(all.session).rotations, 1);
  });

  test("the worker of a page holds the lock, and is ended when the page goes: the others go on", async (t) => {
    const all = await tabs(t, strict, { count: 3 });
    const { page, told } = await workerHoldsTheLock(all);
    await page.evaluate(() => addEventListener("pagehide", () => worker.terminate()));
    await page.navigate("/elsewhere");
    await assertLives(all, await othersAreTold(told));
    assert.equal(all.server.oracle.presentations, 1);
  });

  // A worker hears nothing of its page's going, so what it holds is left to the engine.
  test(`the worker of a page holds the lock when the page goes: ${RESTING_WORKER[engine.restingWorker]}`, async (t) => {
    const all = await tabs(t, strict, { count: 3 });
    const { page, others, told } = await workerHoldsTheLock(all);
    await page.navigate("/elsewhere");
    if (engine.restingWorker === "ended") return assertLives(all, await othersAreTold(told));
    for (const tab of others) await tab.evaluate(() => skip());
    assert.deepEqual(await othersAreTold(told), ["TransientError busy"]);
    if (engine.restingWorker === "kept") {
      await page.back();
      await page.evaluate(() => (worker.postMessage("go on"), fromWorker));
    }
    await assertLives(all, [...new Set((await Promise.all(others.map((tab) => calls(tab, CALLERS)))).flat())]);
    assert.equal(all.server.oracle.presentations, 1);
  });
}

/** What becomes of a worker that holds the lock, by `restingWorker` of an engine. */
const RESTING_WORKER = {
  ended: "the others go on",
  evicted: "those who wait are busy, and whoever asks next goes on",
  kept: "the others are busy until it is back",
};

/** Calls in the page, before it goes for a long time, and keeps what becomes of it for when it is back. */
const asksBefore = (count) => {
  // Longer than anybody has patience, and less than tokens live.
  restFor(600_000);
  const asked = Promise.allSettled(Array.from({ length: count }, () => auth.getAccessToken()));
  globalThis.told = asked.then((ended) => [...new Set(ended.map(({ value, reason }) => value ?? `${reason}`))]);
};

/** The tab goes back to its page. If that has rested, what was asked before it went is answered as well. */
async function comesBack({ server, begin }, tab, outcome) {
  await tab.back();
  if (await tab.evaluate(() => !("auth" in globalThis))) return begin(tab);
  const told = await tab.evaluate(() => globalThis.told);
  assert.equal(told.length, 1, `what was asked before was told ${told.join(", ")}`);
  if (outcome === undefined) assert.equal(await server.isActive(told[0]), true, told[0]);
  else assert.deepEqual(told, outcome);
}

/** A page's dedicated worker holds the lock, and claims nothing before it is told to go on; the other tabs wait behind it. */
async function workerHoldsTheLock({ server, pages }) {
  const [page, ...others] = pages;
  await page.evaluate(
    async (options) => {
      globalThis.worker = new Worker("/tests/browser/engines/worker.mjs", { type: "module" });
      const says = () => new Promise((resolve) => worker.addEventListener("message", ({ data }) => resolve(data), { once: true }));
      worker.postMessage(options);
      await says();
      globalThis.fromWorker = says();
    },
    { clientId: PUBLIC_CLIENT, tokenEndpoint: server.tokenEndpoint },
  );
  const told = new Map(others.map((tab) => [tab, calls(tab, CALLERS)]));
  await queued(others[0], others.length, [...told.values()]);
  return { page, others, told };
}
