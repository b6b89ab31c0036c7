// `keepFresh` in several tabs, of which the user sees one: on real clocks and timers, with tokens that live for seconds.

import assert from "node:assert/strict";
import test from "node:test";

import { strict } from "../authorization-server/personalities.mjs";
import { startAuthorizationServer } from "../authorization-server/provider.mjs";
import { profile, tab } from "./chromium.mjs";
import { begin } from "./coordinators.mjs";

const TABS = 4;
/** In seconds. */
const LIFETIME = 10;
/** So wide that who is seen and who is hidden ask seconds apart. Milliseconds. */
const WINDOWS = { advisoryWindow: 9_000, mandatoryWindow: 100 };

/** Headless, every tab says that it is seen. */
const hide = (page) =>
  page.evaluate(() => {
    Object.defineProperty(document, "visibilityState", { get: () => globalThis.seen ?? "hidden" });
    document.dispatchEvent(new Event("visibilitychange"));
  });

const show = (page) =>
  page.evaluate(() => {
    globalThis.seen = "visible";
    document.dispatchEvent(new Event("visibilitychange"));
  });

/** Waits until a tab has tokens of this generation, and says how many requests it has sent. */
const generation = (page, wanted) =>
  page.evaluate(
    (wanted) =>
      new Promise((resolve) => {
        const look = () => auth.getSnapshot().generation >= wanted && resolve(auth.stats().presentations);
        auth.subscribe(look);
        look();
      }),
    wanted,
  );

test("the tab that is seen refreshes for all; once it is gone another one does; and no call ever waits", async (t) => {
  const server = await startAuthorizationServer(strict, { accessTokenLifetime: LIFETIME });
  t.after(() => server.close());
  const context = await profile(t);
  const pages = [];
  for (let number = 0; number < TABS; number += 1) pages.push(await begin(await tab(t, context), server, WINDOWS));
  const [seen, ...hidden] = pages;
  for (const page of hidden) await hide(page);
  const { tokens, session } = await server.signIn();
  await seen.evaluate((tokens) => auth.setTokens(tokens).then(() => {}), tokens);
  for (const page of pages) await page.evaluate(() => void auth.keepFresh());

  for (const wanted of [1, 2]) {
    const sent = await Promise.all(pages.map((page) => generation(page, wanted)));
    assert.deepEqual(sent, [wanted, 0, 0, 0]);
    // Held already: what is answered from memory is the same promise each time.
    for (const page of pages) assert.equal(await page.evaluate(() => auth.getTokens() === auth.getTokens()), true);
  }
  await seen.close();
  const sent = await Promise.all(hidden.map((page) => generation(page, 3)));
  assert.deepEqual(sent.sort(), [0, 0, 1]);
  const before = await Promise.all(hidden.map((page) => page.evaluate(() => auth.stats().presentations)));
  await show(hidden[2]);
  const after = await Promise.all(hidden.map((page) => generation(page, 4)));
  assert.deepEqual(after.map((count, number) => count - before[number]), [0, 0, 1]);
  const { rotations, reuses, refused } = server.oracle.counts(session);
  assert.deepEqual({ rotations, reuses, refused }, { rotations: 4, reuses: 0, refused: 0 });
});
