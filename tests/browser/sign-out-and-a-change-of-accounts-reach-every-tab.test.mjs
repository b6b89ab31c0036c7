// Five tabs at a real authorization server, and what ends the session in one of them, at rest and in mid-refresh: no other tab
// hands out a token of the session that has ended.

import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";

import { strict } from "../authorization-server/personalities.mjs";
import { callAtTheNext, hears, listen } from "./announcements.mjs";
import { calls, presenter, queued, signedInTabs } from "./signed-in-tabs.mjs";

const TABS = 5;

const signOut = (page) => page.evaluate(() => auth.signOut());
const signIn = (page, { tokens }) => page.evaluate((tokens) => auth.setTokens(tokens).then(() => {}), tokens);

/** Tabs that all hold the same fresh token, and have heard all that was announced so far. */
async function tabsAtRest(t) {
  const all = await signedInTabs(t, TABS, strict);
  const { pages, server } = all;
  await Promise.all(pages.map(listen));
  const rotated = once(server.oracle, "rotation");
  const [token] = await calls(pages[2], 1);
  await rotated;
  // Whether the sign-in before it was heard by these ears too does not matter: the refresh came later.
  await Promise.all(pages.map((page) => hears(page, 1)));
  for (const page of pages) assert.deepEqual(await calls(page, 1), [token]);
  assert.equal(all.counts().rotations, 1);
  return { ...all, token };
}

/**
 * Tabs of which one presents the token, while the server holds its request or reply and the others wait. `before`: what the server
 * had issued until then.
 */
async function tabsInMidRefresh(t, hold) {
  const all = await signedInTabs(t, TABS, strict);
  const held = all.server[hold]();
  const before = all.server.oracle.issued;
  const told = all.pages.map((page) => calls(page, 20));
  await held.arrived;
  const first = await presenter(all.pages);
  const others = all.pages.filter((page) => page !== first);
  await queued(first, TABS - 1, told);
  return { ...all, held, told, first, others, before };
}

test("signed out in one tab: in the very task in which the others hear of it they hand out nothing more", async (t) => {
  const { server, pages, session } = await tabsAtRest(t);
  const [one, ...others] = pages;
  const called = await Promise.all(others.map(callAtTheNext));
  await signOut(one);
  for (const outcome of called) assert.equal(await outcome(), "NoSessionError");
  for (const page of pages) assert.deepEqual(await calls(page, 100), ["NoSessionError no-session"]);
  assert.equal(await server.hasSession(session), false, "the server was told too");
  assert.equal(server.oracle.presentations, 1);
});

test("another account in one tab: in the very task in which the others hear of it they have its token", async (t) => {
  const { server, pages } = await tabsAtRest(t);
  const [one, ...others] = pages;
  const account = await server.signIn();
  const called = await Promise.all(others.map(callAtTheNext));
  await signIn(one, account);
  for (const outcome of called) assert.equal(await outcome(), "NoSessionError");
  for (const page of pages) assert.deepEqual(await calls(page, 100), [account.tokens.access_token]);
});

/** Waits until no exchange is under way. */
const exchangesEnd = (page) =>
  page.evaluate(async () => {
    while ((await navigator.locks.query()).held.length > 0);
  });

for (const [when, hold] of [
  ["before the server has rotated", "holdRequest"],
  ["after the server has rotated", "holdReply"],
]) {
  for (const whose of ["the tab that presents", "another tab"]) {
    const one = ({ first, others }) => (whose === "another tab" ? others[0] : first);

    test(`signed out in ${whose}, ${when}: nobody gets a token, and none lives on`, async (t) => {
      const all = await tabsInMidRefresh(t, hold);
      const { server, pages, held, told, before } = all;
      await signOut(one(all));
      held.release();
      for (const outcome of told) assert.deepEqual(await outcome, ["NoSessionError no-session"]);
      for (const page of pages) assert.deepEqual(await calls(page, 1), ["NoSessionError no-session"]);
      await exchangesEnd(pages[0]);
      await all.first.evaluate(() => auth.drainRevocations());
      // The strict server ends the whole session at the first one; another server does not.
      const late = hold === "holdReply" ? server.oracle.issued.filter((token) => !before.includes(token)) : [];
      const handedIn = server.oracle.revoked.filter((token) => late.includes(token));
      assert.equal(handedIn.length, hold === "holdReply" ? 1 : 0, "what the refresh brought too late is revoked by its own name");
      for (const token of server.oracle.issued) {
        assert.equal((await server.isAlive(token)) || (await server.isActive(token)), false, "a token lives on");
      }
      assert.equal(server.oracle.presentations, 1);
    });

    test(`another account in ${whose}, ${when}: nobody gets a token of the old one`, async (t) => {
      const all = await tabsInMidRefresh(t, hold);
      const { server, pages, held, told } = all;
      const account = await server.signIn();
      await signIn(one(all), account);
      held.release();
      // They were begun for the account that is gone.
      for (const outcome of told) assert.deepEqual(await outcome, ["NoSessionError no-session"]);
      for (const page of pages) assert.deepEqual(await calls(page, 100), [account.tokens.access_token]);
      assert.equal(await server.hasSession(account.session), true);
      assert.equal(server.oracle.presentations, 1);
    });
  }
}
