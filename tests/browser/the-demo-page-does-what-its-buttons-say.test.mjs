// The page of `npm start`, in Chromium: it loads without a complaint, and each button of the package's half does what it says.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";

import { HALVES, startPageServer } from "../../www/server/page-server.mjs";
import { chromiumPath } from "../programs.mjs";

let server;
let browser;

before(async () => {
  server = await startPageServer();
  browser = await chromium.launch({ executablePath: chromiumPath(), args: ["--no-sandbox"] });
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/** What a browser says of itself about every reply that is not good: here they are asked for. */
const announced = /Failed to load resource: (the server responded with a status of|net::ERR_INCOMPLETE_CHUNKED_ENCODING)/;

async function opened(t) {
  const context = await browser.newContext();
  const complaints = [];
  context.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !announced.test(message.text())) complaints.push(message.text());
  });
  context.on("weberror", (error) => complaints.push(error.error().message));
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(server.origin);
  await page.waitForSelector("#both:enabled");
  return { context, page, complaints };
}

/** Presses a button of a half and waits for the end of its story. */
async function press(page, half, action) {
  const root = `[data-half="${half}"]`;
  await page.click(`${root}[data-state="idle"] [data-action="${action}"]`);
  await page.waitForSelector(`${root}[data-state="idle"][data-last="${action}"]`);
  return page.locator(root).evaluate((element) => ({
    ...element.dataset,
    session: element.querySelector(".session").textContent,
    outcome: element.querySelector(".outcome").textContent,
    log: element.querySelector(".log").textContent,
    tabs: [...element.querySelectorAll(".lanes li:not(.gone)")].map((lane) => Number(lane.dataset.tab)),
    reuses: element.querySelector('[data-count="reuses"]').textContent,
  }));
}

const allServed = { alive: "true", asked: "100", served: "100", presented: "1", session: "signed in", reuses: "0" };

function assertMembers(actual, expected) {
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, actual[name]])), expected);
}

test("each button of the package's half", async (t) => {
  const { context, page, complaints } = await opened(t);
  const pressed = (action) => press(page, "coordinated", action);
  assert.deepEqual(complaints, [], "loads without a complaint");

  await t.test("100 callers: from memory, nothing is presented", async () => {
    assertMembers(await pressed("call"), { ...allServed, presented: "0" });
  });
  await t.test("expire now, then 100 callers: presented once", async () => {
    assertMembers(await pressed("expire"), { alive: "true", outcome: "Done." });
    assertMembers(await pressed("call"), allServed);
  });
  await t.test("expire + 100 callers: presented once", async () => {
    assertMembers(await pressed("storm"), allServed);
  });
  await t.test("the tab that presents is killed: another one takes over, and a new tab comes in its place", async () => {
    const before = (await pressed("expire")).tabs;
    const result = await pressed("kill");
    assertMembers(result, { alive: "true", asked: "80", served: "80", presented: "2", reuses: "0" });
    assert.match(result.log, /takes over from a tab that is gone/);
    assert.equal(result.tabs.length, before.length);
    assert.notDeepEqual(result.tabs, before);
  });
  await t.test("a slow server: everybody waits", async () => {
    assertMembers(await pressed("slow"), allServed);
  });
  await t.test("503 twice: presented three times in all, and everybody is served", async () => {
    assertMembers(await pressed("unavailable"), { ...allServed, presented: "3" });
  });
  await t.test("a real tab: takes its part", async () => {
    const [window] = await Promise.all([context.waitForEvent("page"), pressed("window")]);
    await page.waitForSelector('[data-half="coordinated"] .lanes li:nth-child(6)');
    const result = await pressed("storm");
    assert.equal(result.tabs.length, 6);
    assertMembers(result, allServed);
    await window.close();
    await page.waitForSelector('[data-half="coordinated"] .lanes .gone');
  });
  await t.test("the reply is lost: the session too, and it is said", async () => {
    const result = await pressed("drop");
    assertMembers(result, { alive: "false", session: "signed out: the server saw a spent refresh token" });
    assert.match(result.outcome, /RevokedError: response-lost/);
  });
  await t.test("sign in again: served as before", async () => {
    assertMembers(await pressed("sign-in"), { alive: "true", session: "signed in" });
    assertMembers(await pressed("storm"), allServed);
  });
  await t.test("revoke: the server's word is taken for it, nobody is served", async () => {
    const result = await pressed("revoke");
    assertMembers(result, { alive: "false", served: "0", session: "ended by the server, as it was told to", reuses: "0" });
    assert.match(result.outcome, /RevokedError/);
  });
  await t.test("sign out: nobody is served, nothing is presented", async () => {
    await pressed("sign-in");
    assertMembers(await pressed("sign-out"), { alive: "false", session: "signed out by the user" });
    const result = await pressed("call");
    assertMembers(result, { served: "0", presented: "0" });
    assert.match(result.outcome, /NoSessionError/);
    assertMembers(await pressed("kill"), { served: "0", presented: "0" });
  });
  assert.deepEqual(complaints, []);
});

test("the half by hand has the same buttons, and they work", async (t) => {
  const { page, complaints } = await opened(t);
  const pressed = (action) => press(page, "by-hand", action);
  assertMembers(await pressed("call"), { ...allServed, presented: "0" });
  await pressed("sign-out");
  assertMembers(await pressed("call"), { alive: "false", served: "0", presented: "0" });
  assertMembers(await pressed("sign-in"), { alive: "true", session: "signed in" });
  assertMembers(await pressed("drop"), { alive: "false" });
  await pressed("sign-in");
  assertMembers(await pressed("revoke"), { alive: "false", served: "0" });

  const [own, other] = await Promise.all(
    HALVES.map((half) => page.locator(`[data-half="${half}"] [data-action]`).evaluateAll((buttons) => buttons.map((button) => button.dataset.action))),
  );
  assert.deepEqual(own, other);
  assert.deepEqual(complaints, []);
});

test("the button for both halves plays on both", async (t) => {
  const { page } = await opened(t);
  await page.focus("#both");
  await page.keyboard.press("Enter");
  await page.waitForSelector('#both:enabled[data-played="1"]');
  const asked = await page.locator("[data-half]").evaluateAll((roots) => roots.map(({ dataset }) => dataset.asked));
  assert.deepEqual(asked, ["100", "100"]);
  assertMembers({ ...(await page.locator('[data-half="coordinated"]').evaluate(({ dataset }) => ({ ...dataset }))) }, { alive: "true", served: "100", presented: "1" });
});
