// The lock of the session is in hands that do not let it go, or callers ask for a token from within the refresh itself: everybody is
// told in bounded time, nobody is signed out, and with the lock free again the token is there.

import assert from "node:assert/strict";
import test from "node:test";

import * as faults from "../authorization-server/faults.mjs";
import { strict } from "../authorization-server/personalities.mjs";
import { tab } from "./chromium.mjs";
import { calls, LIFETIME, queued, signedInTabs, tabsWithClocks } from "./signed-in-tabs.mjs";

const CALLERS = 5;
/** How long callers wait for others, in milliseconds; how long one attempt may take; how long a caller waits in all. */
const LOCK_WAIT = 16_000;
const TIMEOUT = 10_000;
const CALL_TIMEOUT = 30_000;

const tellsAll = async (told) => [...new Set((await Promise.all(told)).flat())];

async function assertServed({ server, session, pages }) {
  const told = await tellsAll(pages.map((page) => calls(page, CALLERS)));
  assert.equal(told.length, 1, `what callers were told: ${told.join(", ")}`);
  assert.equal(await server.isActive(told[0]), true);
  assert.equal(await server.hasSession(session), true);
}

/** The name of the session's lock, which is held while the server keeps a request. */
async function lockOf({ server, pages: [page] }) {
  const held = server.holdRequest();
  const told = calls(page, 1);
  await held.arrived;
  const [{ name }] = await page.evaluate(async () => (await navigator.locks.query()).held);
  held.release();
  await told;
  return name;
}

// Symptom of supabase/supabase-js#936 and #2013: a lock that is never let go.
test("something else on the page's origin holds the lock for ever: a valid token is served at once, callers are told when there is none, and all is well when it lets go", async (t) => {
  const all = await tabsWithClocks(t, 3, strict);
  const { server, context, pages, putAhead } = all;
  const name = await lockOf(all);
  const stranger = await tab(t, context);
  await stranger.evaluate((name) => new Promise((held) => navigator.locks.request(name, () => (held(), new Promise(() => {})))), name);
  await assertServed(all);

  await putAhead(LIFETIME);
  const told = pages.map((page) => calls(page, CALLERS));
  await queued(stranger, pages.length, told);
  await putAhead(LOCK_WAIT);
  assert.deepEqual(await tellsAll(told), ["TransientError busy"]);
  assert.equal(server.oracle.presentations, 1);

  await stranger.close();
  await assertServed(all);
  assert.equal(server.oracle.presentations, 2);
});

// Symptom of auth0/auth0-spa-js#275: after an error everybody waited for seconds.
test("after a refresh that failed nobody holds the lock: another tab's call is sent at once", async (t) => {
  const all = await signedInTabs(t, 2, strict, { retries: 0 });
  const [one, other] = all.pages;
  // Not now, and asked for no pause.
  all.server.next(1, faults.answer(503, "", { ...faults.readable("Retry-After"), "retry-after": "0" }));
  assert.match((await calls(one, 1))[0], /^TransientError/);
  assert.deepEqual(await one.evaluate(async () => (await navigator.locks.query()).held), []);
  assert.equal(await all.server.isActive((await calls(other, 1))[0]), true);
});

// Symptom of supabase/auth-js#762 and supabase/supabase-js#2344: a listener that calls back into the client, which waits for the listener.
test("listeners that ask for a token at every event, and when the page has just opened: no tab hangs", async (t) => {
  const all = await signedInTabs(t, 2, strict);
  const ask = () => {
    globalThis.asked = [];
    auth.subscribe(() => asked.push(auth.getAccessToken()));
  };
  for (const page of all.pages) await page.evaluate(ask);
  await assertServed(all);
  const [one] = all.pages;
  for (let number = 0; number < 3; number += 1) await one.evaluate(() => auth.refresh().then(() => {}));
  const opened = await all.open();
  await opened.evaluate(ask);
  for (const page of [...all.pages, opened]) await page.evaluate(() => Promise.all(asked).then(() => {}));
  all.pages.push(opened);
  // What was announced last is heard a hop later.
  for (const page of all.pages) while ((await calls(page, 1))[0] !== (await calls(one, 1))[0]);
  await assertServed(all);
});

test("a `fetch` of the app's own that wants a token before it sends even the request for one: its calls end in time, and other tabs are served", async (t) => {
  const all = await tabsWithClocks(t, 2, strict, { retries: 0 });
  const [wrong, right] = all.pages;
  await wrong.evaluate(() => {
    own.fetch = async (url, init) => {
      globalThis.sending = true;
      const token = await auth.getAccessToken();
      return fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });
    };
  });
  await all.begin(wrong);
  const told = calls(wrong, CALLERS);
  await wrong.waitForFunction(() => globalThis.sending);
  await all.putAhead(TIMEOUT, [wrong]);
  assert.deepEqual(await told, ["TransientError timeout"]);
  assert.equal(all.server.oracle.presentations, 0);
  await all.putAhead(CALL_TIMEOUT, [right]);
  assert.equal(await all.server.isActive((await calls(right, CALLERS))[0]), true);
});

// Symptom of supabase/supabase-js#2106 and #2620: the lock was taken from a tab that was only slow, and its error was nobody's.
test("a slow tab is never robbed of the lock: nobody else sends, nothing is thrown that nobody catches, and its answer serves all", async (t) => {
  const all = await tabsWithClocks(t, 3, strict, { timeout: 60_000 });
  const { server, pages, putAhead } = all;
  const held = server.holdReply();
  const told = pages.map((page) => calls(page, CALLERS));
  await held.arrived;
  await queued(pages[0], pages.length - 1, told);
  // That is what it is where an attempt may take longer than a caller stays.
  await putAhead(12_000);
  await putAhead(12_000);
  held.release();
  const outcomes = await tellsAll(told);
  assert.equal(outcomes.length, 2);
  assert.ok(outcomes.includes("TransientError busy"));
  await assertServed(all);
  assert.equal(server.oracle.presentations, 1);
});
