// What must hold in every engine, with several tabs at a real authorization server: a race at each expiry; the end of the tab that
// presents, in mid-exchange; a sign-out; a change of accounts; and what `resting.mjs` and `freezing.mjs` add.

import assert from "node:assert/strict";
import test from "node:test";

import { grace, strict } from "../../authorization-server/personalities.mjs";
import { calls, queued } from "../coordinators.mjs";
import { freezing } from "./freezing.mjs";
import { assertLives, CALLERS, inMidExchange, othersAreTold } from "./mid-exchange.mjs";
import { resting } from "./resting.mjs";
import { becomes, hears, LIFETIME, oneBrowser, signedInTabs } from "./signed-in.mjs";
import { stores } from "./stores.mjs";

const TABS = 4;

/** How often the tabs race. */
const RUNS = Number(process.env.RUNS ?? 25);

export function scenarios(engine) {
  const browser = oneBrowser(engine);
  const tabs = async (t, personality, how) => signedInTabs(t, await browser(), personality, { count: TABS, ...how });

  for (const store of Object.keys(stores)) {
    test(`${TABS} tabs with ${CALLERS} callers each at ${RUNS} expiries, ${store}: one request each time, and the same token for all`, async (t) => {
      const { server, pages, session } = await tabs(t, strict, { store });
      for (let run = 1; run <= RUNS; run += 1) {
        const told = await race(server, pages, run);
        assert.equal(told.length, 1, `run ${run}: callers were told ${told.join(", ")}`);
        assert.equal(server.oracle.presentations, run, `run ${run}`);
        assert.equal(await server.isActive(told[0]), true, `run ${run}`);
      }
      const { rotations, reuses, refused } = server.oracle.counts(session);
      assert.deepEqual({ rotations, reuses, refused }, { rotations: RUNS, reuses: 0, refused: 0 });
      assert.equal(await server.hasSession(session), true);
    });
  }

  const ends = {
    "is closed": (tab) => tab.close(),
    "goes to another page": (tab) => tab.navigate("/elsewhere"),
    "is killed": (tab) => tab.kill(),
  };

  for (const [how, end] of Object.entries(ends)) {
    test(`the tab that presents ${how} before the server has rotated: the others go on`, async (t) => {
      const all = await tabs(t, strict);
      await assertLives(all, await survivors(all, "holdRequest", end));
      assert.equal(all.server.oracle.counts(all.session).rotations, 1);
    });

    test(`the tab that presents ${how} after the server has rotated: all others say why they cannot go on`, async (t) => {
      assert.deepEqual(await survivors(await tabs(t, strict), "holdReply", end), ["RevokedError response-lost"]);
    });

    test(`the tab that presents ${how} after the server has rotated, with grace: the others go on`, async (t) => {
      const all = await tabs(t, grace);
      await assertLives(all, await survivors(all, "holdReply", end));
    });
  }

  test("signed out in one tab: every other one hears of it, and hands out nothing more", async (t) => {
    const { server, pages, session } = await tabs(t, strict);
    for (const tab of pages) await calls(tab, 1);
    const [one, ...others] = pages;
    await one.evaluate(() => auth.signOut().then(() => {}));
    await Promise.all(others.map((tab) => becomes(tab, "signed-out")));
    for (const tab of pages) assert.deepEqual(await calls(tab, CALLERS), ["NoSessionError no-session"]);
    assert.equal(await server.hasSession(session), false);
    assert.equal(server.oracle.presentations, 1);
  });

  test("signed out in another tab in mid-exchange: nobody gets a token", async (t) => {
    const { server, pages } = await tabs(t, strict);
    const { first, others, held, told } = await inMidExchange({ server, pages }, "holdReply");
    await others[0].evaluate(() => auth.signOut().then(() => {}));
    held.release();
    for (const outcome of told.values()) assert.deepEqual(await outcome, ["NoSessionError no-session"]);
    assert.deepEqual(await calls(first, CALLERS), ["NoSessionError no-session"]);
    assert.equal(server.oracle.presentations, 1);
  });

  test("another user signs in, in one tab: every other one hears of it, and has that user's token only", async (t) => {
    const { server, pages } = await tabs(t, strict);
    for (const tab of pages) await calls(tab, 1);
    const account = await anotherUser(server, pages[0]);
    await Promise.all(pages.slice(1).map((tab) => hears(tab, "signed-in")));
    await assertOnly(account, server, pages);
    assert.equal(server.oracle.presentations, 1);
  });

  for (const [when, hold] of [
    ["before", "holdRequest"],
    ["after", "holdReply"],
  ]) {
    test(`another user signs in, in another tab, ${when} the server has rotated: nobody gets the old user's token`, async (t) => {
      const { server, pages } = await tabs(t, strict);
      const { others, held, told } = await inMidExchange({ server, pages }, hold);
      const account = await anotherUser(server, others[0]);
      held.release();
      // These calls belong to the session that is gone.
      for (const outcome of told.values()) assert.deepEqual(await outcome, ["NoSessionError no-session"]);
      await assertOnly(account, server, pages);
      assert.equal(server.oracle.presentations, 1);
    });
  }

  resting(engine, tabs);
  if (engine.can.freeze) freezing(tabs);
}

/**
 * All tabs call when the token has just ended for the `run`-th time, and the server answers nobody before all have called. In
 * every other run it also waits until they queue. What the callers were told, each once.
 */
async function race(server, pages, run) {
  const held = server.holdRequest();
  const call = ({ ahead, callers }) => {
    globalThis.ahead = ahead;
    const calls = Array.from({ length: callers }, () => auth.getAccessToken());
    globalThis.called = Promise.allSettled(calls).then((ended) => ended.map(({ value, reason }) => value ?? String(reason)));
  };
  const beginning = pages.map((tab) => tab.evaluate(call, { ahead: run * LIFETIME, callers: CALLERS }));
  await Promise.all([...beginning, held.arrived]);
  if (run % 2 === 0) await queued(pages[0], pages.length - 1);
  held.release();
  const told = await Promise.all(pages.map((tab) => tab.evaluate(() => called)));
  return [...new Set(told.flat())];
}

/** The tab that presents comes to its end in mid-exchange. What the others are told. */
async function survivors({ server, pages }, hold, end) {
  const { told, first } = await inMidExchange({ server, pages }, hold);
  await end(first);
  return othersAreTold(told, first);
}

async function anotherUser(server, tab) {
  const account = await server.signIn();
  await tab.evaluate((tokens) => auth.setTokens(tokens).then(() => {}), account.tokens);
  return account;
}

/** Nobody has a token but this account's. */
async function assertOnly(account, server, pages) {
  for (const tab of pages) assert.deepEqual(await calls(tab, CALLERS), [account.tokens.access_token]);
  assert.equal(await server.hasSession(account.session), true);
}
