// A connection that was in use before breaks before a byte of the reply is there: Chromium, and Firefox too, send the request again of
// their own accord, though it is a POST (RFC 9110 section 9.2.2 forbids it). The page sees one `fetch`, the server gets the refresh token twice.
//
// The page can neither forbid it nor notice. Checked here: the session lives wherever the server lets it; the error says no more than
// anybody can know where the server has ended the session; and what a server or a time limit can do, so that it does not come to that.

import assert from "node:assert/strict";
import test from "node:test";

import * as faults from "../authorization-server/faults.mjs";
import { grace, strict } from "../authorization-server/personalities.mjs";
import { calls, LIFETIME, tabsWithClocks } from "./signed-in-tabs.mjs";

const TABS = 3;
const CALLERS = 5;
/** One attempt of the coordinator's own, in milliseconds. */
const TIMEOUT = 10_000;
/** Longer than any cool-down after one failure, in milliseconds. */
const AFTERWARDS = 60_000;

/** Tabs whose token has just ended, and a connection to the server that is still open, unless it says otherwise. */
async function tabsAtAnExpiry(t, { personality = strict, first = async (_context, next) => next(), ...options } = {}) {
  const all = await tabsWithClocks(t, TABS, personality, { retries: 0, ...options });
  all.server.next(1, first);
  for (const page of all.pages) await calls(page, 1);
  await all.putAhead(LIFETIME);
  return all;
}

/** All tabs call, and this happens to the next request. What they were told, each once; what the tabs sent, what the server got. */
async function allCall({ server, pages, counts }, ...fault) {
  if (fault.length > 0) server.next(1, ...fault);
  const count = async () => {
    const sent = await Promise.all(pages.map((page) => page.evaluate(() => auth.stats().presentations)));
    return [sent.reduce((sum, each) => sum + each), server.oracle.presentations, counts().rotations];
  };
  const before = await count();
  const told = [...new Set((await Promise.all(pages.map((page) => calls(page, CALLERS)))).flat())];
  const [sent, received, rotated] = (await count()).map((each, index) => each - before[index]);
  return { told, sent, received, rotated };
}

async function assertLives({ server, session }, { told }) {
  assert.equal(told.length, 1, `what callers were told: ${told.join(", ")}`);
  assert.equal(await server.isActive(told[0]), true);
  assert.equal(await server.hasSession(session), true);
}

test("resent, and the server had not looked at it: all tabs are served, and nobody hears of it", async (t) => {
  const all = await tabsAtAnExpiry(t);
  const { sent, received, rotated, ...outcome } = await allCall(all, faults.dropBefore());
  assert.deepEqual({ sent, received, rotated }, { sent: 1, received: 2, rotated: 1 });
  await assertLives(all, outcome);
});

for (const [what, options] of [
  ["", { grace: 60 }],
  [", though the coordinator was not told of the grace", {}],
]) {
  test(`resent after the server had rotated, with grace: all tabs have what the second reply brought, and go on from there${what}`, async (t) => {
    const all = await tabsAtAnExpiry(t, { personality: grace, ...options });
    const { sent, received, rotated, ...outcome } = await allCall(all, faults.dropAfter());
    assert.deepEqual({ sent, received, rotated }, { sent: 1, received: 2, rotated: 2 });
    await assertLives(all, outcome);
    await all.putAhead(LIFETIME);
    await assertLives(all, await allCall(all));
  });
}

test("resent after a strict server had rotated: the session is over for it, all tabs hear that, and not that it was a theft", async (t) => {
  const all = await tabsAtAnExpiry(t);
  const { told, ...counted } = await allCall(all, faults.dropAfter());
  assert.deepEqual(counted, { sent: 1, received: 2, rotated: 1 });
  // Sent once, as far as anybody here knows, and refused without a reason: as after a revocation.
  assert.deepEqual(told, ["RevokedError unknown"]);
  assert.deepEqual(await allCall(all), { told, sent: 0, received: 0, rotated: 0 });
});

test("a server that closes the connection after each reply gets each request once: a reply that is lost is known to be lost", async (t) => {
  const all = await tabsAtAnExpiry(t, { first: faults.lastOfItsConnection() });
  const { told, ...counted } = await allCall(all, faults.dropAfter());
  assert.deepEqual(counted, { sent: 1, received: 1, rotated: 1 });
  for (const outcome of told) assert.match(outcome, /^TransientError /);
  await all.putAhead(AFTERWARDS);
  assert.deepEqual((await allCall(all)).told, ["RevokedError response-lost"]);
});

test("and if the server had not looked at it, the session lives", async (t) => {
  const all = await tabsAtAnExpiry(t, { first: faults.lastOfItsConnection() });
  const { sent, received } = await allCall(all, faults.dropBefore());
  assert.deepEqual({ sent, received }, { sent: 1, received: 1 });
  await all.putAhead(AFTERWARDS);
  await assertLives(all, await allCall(all));
});

test("a server that hangs, and breaks the connection when the coordinator has given up: nothing is resent", async (t) => {
  const all = await tabsAtAnExpiry(t);
  const { server, pages, putAhead } = all;
  let here;
  const arrived = new Promise((resolve) => (here = resolve));
  const gone = new Promise((resolve) => {
    server.next(1, async (context, next) => faults.untilHungUp(here)(context, next).then(resolve));
  });
  const asked = allCall(all);
  await arrived;
  await putAhead(TIMEOUT);
  await gone;
  const { told, ...counted } = await asked;
  assert.deepEqual(counted, { sent: 1, received: 1, rotated: 0 });
  for (const outcome of told) assert.match(outcome, /^TransientError /);
  await putAhead(AFTERWARDS);
  await assertLives(all, await allCall(all));
});
