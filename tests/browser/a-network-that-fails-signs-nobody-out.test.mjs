// Offline, a captive portal, a gateway's error page, a connection that breaks: no tab drops the session for it, and as soon as the server
// can be reached the next call is served, in every tab, by one rotation.

import assert from "node:assert/strict";
import test from "node:test";

import * as faults from "../authorization-server/faults.mjs";
import { strict } from "../authorization-server/personalities.mjs";
import { startResourceServer } from "../authorization-server/resource-server.mjs";
import { devtools, origin } from "./chromium.mjs";
import { calls, LIFETIME, signedInTabs, tabsWithClocks } from "./signed-in-tabs.mjs";

const TABS = 3;
const CALLERS = 5;
/** Longer than any cool-down after one failure, in milliseconds. */
const AFTERWARDS = 60_000;

/** Tabs with a session whose access token has just ended, and no connection to the server that is still open. */
async function tabsAtAnExpiry(t) {
  const all = await tabsWithClocks(t, TABS, strict, { retries: 0 });
  all.server.next(1, faults.lastOfItsConnection());
  for (const page of all.pages) await calls(page, 1);
  await all.putAhead(LIFETIME);
  return all;
}

const allCall = async (pages) => [...new Set((await Promise.all(pages.map((page) => calls(page, CALLERS)))).flat())];

async function assertAllKeepTheUser(pages) {
  const told = await allCall(pages);
  assert.ok(told.every((outcome) => outcome.startsWith("TransientError ")), `what callers were told: ${told.join(", ")}`);
  for (const page of pages) assert.equal(await page.evaluate(() => auth.getSnapshot().status), "active");
}

async function assertServed({ server, session, pages, counts }) {
  const told = await allCall(pages);
  assert.equal(told.length, 1, `what callers were told: ${told.join(", ")}`);
  assert.equal(await server.isActive(told[0]), true);
  assert.equal(await server.hasSession(session), true);
  assert.deepEqual([counts().rotations, counts().reuses], [2, 0]);
}

/** What may become of a request on its way to the server. */
const failures = {
  "the connection breaks": faults.dropBefore(),
  "a gateway answers 502 with a page that cannot be read": faults.answer(502, "<h1>Bad Gateway</h1>"),
  "a gateway answers 502 with a page that can be read": faults.answer(502, "<h1>Bad Gateway</h1>", faults.readable()),
  "a portal answers 200 with its own page": faults.answer(200, "<h1>Welcome to the hotel</h1>", faults.readable()),
  "the server answers 400 with no reason": faults.answer(400, "Bad Request", faults.readable()),
  "the server answers 401 with a page": faults.answer(401, "<h1>Sign in</h1>", faults.readable()),
};

// Symptoms of damienbod/angular-auth-oidc-client#2103, okta/okta-auth-js#1047, aws-amplify/amplify-js#14130 and workos/authkit-js#130.
for (const [what, fault] of Object.entries(failures)) {
  test(`${what}: every tab keeps the user, and afterwards all are served`, async (t) => {
    const all = await tabsAtAnExpiry(t);
    const { server, pages, putAhead } = all;
    server.next(1, fault);
    await assertAllKeepTheUser(pages);
    assert.equal(server.oracle.presentations, 2, "the tabs that waited ask nobody");
    await putAhead(AFTERWARDS);
    await assertServed(all);
  });
}

test("a portal sends the request elsewhere: the token does not go along, it is told as what it is, and the other tabs are served", async (t) => {
  const all = await tabsAtAnExpiry(t);
  const { server, pages, putAhead } = all;
  const portal = await startResourceServer(() => true);
  t.after(() => portal.close());
  // 307: the request is to be made again there as it is (RFC 9110 section 15.4.8).
  server.next(1, faults.answer(307, "", { ...faults.readable(), location: portal.url("/sign-in") }));
  const told = await allCall(pages);
  assert.equal(told.length, 2, `what callers were told: ${told.join(", ")}`);
  assert.ok(told.includes("ConfigurationError redirected"));
  assert.deepEqual(portal.requests, []);
  await putAhead(AFTERWARDS);
  await assertServed(all);
});

// Symptoms of authts/oidc-client-ts#1343 and aws-amplify/amplify-js#14568.
test("woken up offline, with a token that ended in the night: every tab keeps the user, asks again at the times it tells, and is served when the network is back", async (t) => {
  const all = await tabsAtAnExpiry(t);
  const { server, context, pages, putAhead } = all;
  await context.setOffline(true);
  for (let minute = 0; minute < 3; minute += 1) {
    await assertAllKeepTheUser(pages);
    await putAhead(AFTERWARDS);
  }
  await context.setOffline(false);
  await assertServed(all);
  assert.equal(server.oracle.presentations, 2);
});

// After more attempts than two the cool-down may be longer than a call waits for, and the app asks again at `retryAt`.
test("online again when a call has just failed: the app that asks as soon as the browser says so is served", async (t) => {
  const all = await signedInTabs(t, 1, strict, { retries: 1 });
  const { context, pages } = all;
  const [page] = pages;
  await page.evaluate(() => {
    globalThis.online = new Promise((resolve) => addEventListener("online", () => resolve(auth.getAccessToken()), { once: true }));
  });
  await context.setOffline(true);
  for (const told of await calls(page, CALLERS)) assert.match(told, /^TransientError /);
  await context.setOffline(false);
  assert.equal(await all.server.isActive(await page.evaluate(() => online)), true);
  assert.equal(all.server.oracle.presentations, 1);
});

// Symptom of bluesky-social/atproto#3637: "deleted by another process" looked like a revocation.
test("the user deletes the site's data: tabs say that nobody is signed in, and not that the session was revoked; nobody is asked", async (t) => {
  const all = await tabsWithClocks(t, TABS, strict);
  const { server, pages, putAhead } = all;
  for (const page of pages) await calls(page, 1);
  const session = await devtools(pages[0]);
  await session.send("Storage.clearDataForOrigin", { origin: origin(), storageTypes: "all" });
  await putAhead(LIFETIME);
  assert.deepEqual(await allCall(pages), ["NoSessionError no-session"]);
  assert.equal(server.oracle.presentations, 1);
});
