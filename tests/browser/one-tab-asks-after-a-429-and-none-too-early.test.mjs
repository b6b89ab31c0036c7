// The token endpoint says "not now", and every tab of the origin has callers that ask all the time: one request for each cool-down,
// whichever tab asks, and nobody is signed out.

import assert from "node:assert/strict";
import test from "node:test";

import * as faults from "../authorization-server/faults.mjs";
import { strict } from "../authorization-server/personalities.mjs";
import { calls, signedInTabs, tabsWithClocks } from "./signed-in-tabs.mjs";

const TABS = 4;
const CALLERS = 5;
const HOUR = 3_600_000;

/** All tabs ask; what they were told, each once. */
const allAsk = async (pages) => [...new Set((await Promise.all(pages.map((page) => calls(page, CALLERS)))).flat())];

/** All tabs ask, and are told that they are to wait. For how long, in milliseconds: the same for all. */
async function allAreToWait(pages) {
  for (const told of await allAsk(pages)) assert.match(told, /^TransientError /);
  const wait = () => auth.getAccessToken().catch(({ retryAt }) => retryAt - own.clock.now());
  const [ms, ...others] = new Set(await Promise.all(pages.map((page) => page.evaluate(wait))));
  assert.deepEqual(others, []);
  return ms;
}

async function assertAllServed({ server, session, pages, counts }) {
  const told = await allAsk(pages);
  assert.equal(told.length, 1, `what callers were told: ${told.join(", ")}`);
  assert.equal(await server.isActive(told[0]), true);
  assert.equal(await server.hasSession(session), true);
  assert.equal(counts().rotations, 1);
}

// A page sees Retry-After and Date only where the server exposes them (Fetch standard, "CORS-safelisted response-header name").
for (const [how, retryAfter, date = (now) => now] of [
  ["in seconds", () => 30],
  ["as a date", (now) => new Date(now + 30_000).toUTCString()],
  ["as a date by a clock an hour behind", (now) => new Date(now - HOUR + 30_000).toUTCString(), (now) => now - HOUR],
]) {
  // Symptom of ginlix-ai/LangAlpha#379 and okta/okta-auth-js#1001.
  test(`"too many requests, wait 30 s", said ${how}: tabs that ask all the time send one request, and one more when the time is over`, async (t) => {
    const all = await tabsWithClocks(t, TABS, strict);
    const { server, pages, putAhead, began } = all;
    const headers = { ...faults.readable("Retry-After", "Date"), date: new Date(date(began)).toUTCString() };
    server.next(Infinity, faults.tooManyRequests(retryAfter(began), headers));
    // The last two seconds are worth waiting for: who asks then is served when they are over.
    for (let second = 0; second < 28; second += 1) {
      assert.equal(await allAreToWait(pages), 30_000 - second * 1_000);
      await putAhead(1_000);
    }
    await putAhead(1_999);
    const waitsOf = (page) => page.evaluate(() => auth.stats().waits);
    const waits = await Promise.all(pages.map(waitsOf));
    const served = assertAllServed(all);
    for (const [number, page] of pages.entries()) while ((await waitsOf(page)) === waits[number]);
    assert.equal(server.oracle.presentations, 1, "none too early");
    server.heal();
    await putAhead(1);
    await served;
    assert.equal(server.oracle.presentations, 2, "one of the tabs asks, not each");
  });
}

// Symptom of AxaFrance/oidc-client#1265: requests without a pause while the server is away.
test("a server that is away for minutes gets one request for each cool-down, and cool-downs grow to a minute", async (t) => {
  const all = await tabsWithClocks(t, TABS, strict, { retries: 0 });
  const { server, pages, putAhead } = all;
  server.next(Infinity, faults.unavailable(faults.readable()));
  for (let outage = 1; outage <= 8; outage += 1) {
    const wait = await allAreToWait(pages);
    assert.ok(wait > 0 && wait <= Math.min(60_000, 500 * 2 ** outage), `${wait} ms after request ${outage}`);
    await putAhead(wait - 1);
    assert.equal(await allAreToWait(pages), 1);
    assert.equal(server.oracle.presentations, outage);
    await putAhead(1);
  }
  server.heal();
  await assertAllServed(all);
  assert.equal(server.oracle.presentations, 9);
});

test("one 503, and then health: all tabs are served after one more request, and nobody hears of it", async (t) => {
  const all = await signedInTabs(t, TABS, strict);
  all.server.next(1, faults.unavailable(faults.readable()));
  await assertAllServed(all);
  assert.equal(all.server.oracle.presentations, 2);
});

// A gateway in front of the server knows nothing of CORS: pages see a broken connection, and neither status nor Retry-After.
test("a gateway answers 429 without a word that pages may read: one request for each cool-down all the same, and the session lives", async (t) => {
  const all = await tabsWithClocks(t, TABS, strict, { retries: 0 });
  const { server, pages, putAhead } = all;
  server.next(Infinity, faults.tooManyRequests(30));
  for (let outage = 1; outage <= 4; outage += 1) {
    const wait = await allAreToWait(pages);
    assert.equal(server.oracle.presentations, outage);
    await putAhead(wait);
  }
  server.heal();
  await assertAllServed(all);
});

// Symptom of okta/okta-auth-js#1576.
test("signed out in one tab: the others follow without a request of their own", async (t) => {
  const { server, session, pages } = await signedInTabs(t, TABS, strict);
  await allAsk(pages);
  const heard = pages.map((page) =>
    page.evaluate(() => new Promise((resolve) => auth.subscribe(() => auth.getSnapshot().status === "signed-out" && resolve()))),
  );
  await pages[0].evaluate(() => auth.signOut());
  await Promise.all(heard);
  for (const page of pages) assert.deepEqual(await calls(page, CALLERS), ["NoSessionError no-session"]);
  assert.equal(server.oracle.revoked.length, 1);
  assert.equal(await server.hasSession(session), false);
});

test("signed out in all tabs at once: no tab asks the server twice, and none is told of a failure", async (t) => {
  const { server, session, pages } = await signedInTabs(t, TABS, strict);
  await allAsk(pages);
  const signedOut = await Promise.all(pages.map((page) => page.evaluate(() => auth.signOut())));
  assert.ok(signedOut.some(({ revoked }) => revoked), "who comes when it is done has nothing to revoke");
  assert.ok(server.oracle.revoked.length <= TABS, `${server.oracle.revoked.length} requests`);
  assert.equal(new Set(server.oracle.revoked).size, 1, "all for the same token");
  assert.equal(await server.hasSession(session), false);
});
