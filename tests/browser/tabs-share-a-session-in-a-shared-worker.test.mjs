// The example of a shared worker, in tabs of Chromium and at a real authorization server.

import assert from "node:assert/strict";
import test from "node:test";

import { unavailable } from "../authorization-server/faults.mjs";
import { strict } from "../authorization-server/personalities.mjs";
import { profile, tab } from "./chromium.mjs";
import { becomes } from "./single-use.mjs";
import { calls } from "./coordinators.mjs";
import { startExample } from "./example-pages.mjs";
import { kill } from "./renderer.mjs";
import { endSharedWorker } from "./workers.mjs";

/** So many tabs that are signed in, by the form of the first one. `files` take the place of the example's. */
async function signedIn(t, count, files = {}) {
  const example = await startExample(t, "shared-worker", strict);
  for (const [file, text] of Object.entries(files)) example.replace(file, text);
  const context = await profile(t);
  const open = () => tab(t, context, example.origin);
  const pages = [];
  for (let number = 0; number < count; number += 1) pages.push(await open());
  const [page] = pages;
  await page.fill("input", example.refreshToken);
  await page.click("#sign-in button");
  await Promise.all(pages.map((page) => becomes(page, "active")));
  return { ...example, context, open, pages, page };
}

async function assertLives({ server, session, counts }, told) {
  const tokens = [...new Set(told.flat())];
  assert.equal(tokens.length, 1, `what callers were told: ${tokens.join(", ")}`);
  assert.equal(await server.isActive(tokens[0]), true);
  assert.equal(await server.hasSession(session), true);
  assert.equal(server.oracle.presentations, 1);
  assert.equal(counts().rotations, 1);
}

test("four tabs with 500 callers each at one expiry: one request, and the same token in all; a tab that comes later has it too", async (t) => {
  const all = await signedIn(t, 4);
  const told = await Promise.all(all.pages.map((page) => calls(page, 500)));
  await assertLives(all, [...told, await calls(await all.open(), 1)]);
  assert.equal(await all.page.evaluate(() => auth.stats().presentations), 1);
});

test("the buttons of the example do what they say", async (t) => {
  const { page, server, open } = await signedIn(t, 1);
  const told = page.locator("#told");
  await page.click("#ask");
  await page.waitForFunction(() => document.getElementById("told").textContent.length > 20);
  assert.equal(await server.isActive(await told.textContent()), true);
  const other = await open();
  await becomes(other, "active");
  await page.click("#sign-out");
  await becomes(other, "signed-out");
  await other.click("#ask");
  await other.waitForFunction(() => document.getElementById("told").textContent.startsWith("NoSessionError"));
  assert.equal(await other.locator("#status").textContent(), "signed-out");
});

test("nothing of the session is on disk, and no page is told the refresh token", async (t) => {
  const { page, refreshToken, context } = await signedIn(t, 1);
  await calls(page, 1);
  const kept = await page.evaluate(async () => ({
    databases: await indexedDB.databases(),
    stored: [localStorage.length, sessionStorage.length],
    caches: await caches.keys(),
    cookies: document.cookie,
    told: JSON.stringify([await auth.getTokens(), auth.getSnapshot(), auth.stats()]),
  }));
  assert.deepEqual({ ...kept, told: "" }, { databases: [], stored: [0, 0], caches: [], cookies: "", told: "" });
  assert.equal(kept.told.includes("refresh"), false);
  assert.equal(kept.told.includes(refreshToken), false);
  assert.deepEqual((await context.storageState({ indexedDB: true })).origins, []);
});

const ends = {
  "is closed": (page) => page.close(),
  "goes to another page": (page) => page.goto("about:blank"),
  "is reloaded": (page) => page.reload(),
};

for (const [how, end] of Object.entries(ends)) {
  for (const hold of ["holdRequest", "holdReply"]) {
    const when = hold === "holdReply" ? "after" : "before";
    test(`the tab that asked ${how} ${when} the server has rotated: the refresh goes on, and the others have the token`, async (t) => {
      const all = await signedIn(t, 3);
      const [first, ...others] = all.pages;
      const held = all.server[hold]();
      const lost = calls(first, 5).catch(() => "gone");
      await held.arrived;
      await end(first);
      const told = others.map((page) => calls(page, 5));
      held.release();
      if (how === "is reloaded") told.push(calls(first, 5));
      await assertLives(all, await Promise.all(told));
      await lost;
    });
  }
}

test("the tab that asked is killed in mid-refresh: the refresh goes on where the worker is, and the others have the token", async (t) => {
  const all = await signedIn(t, 3);
  // The worker shares the process of the tab that started it.
  const [one, another, last] = all.pages;
  const held = all.server.holdReply();
  const lost = calls(last, 5).catch(() => "gone");
  await held.arrived;
  await kill(last);
  const told = [one, another].map((page) => calls(page, 5));
  held.release();
  await assertLives(all, await Promise.all(told));
  assert.equal(await lost, "gone");
});

test("a call that is aborted leaves alone: the refresh goes on, and other tabs are told", async (t) => {
  const all = await signedIn(t, 2);
  const held = all.server.holdReply();
  const left = all.page.evaluate(() => {
    globalThis.leaver = new AbortController();
    return auth.getAccessToken({ signal: leaver.signal }).catch((error) => error.name);
  });
  await held.arrived;
  await all.page.evaluate(() => leaver.abort());
  assert.equal(await left, "AbortError");
  const told = calls(all.pages[1], 5);
  held.release();
  await assertLives(all, [await told]);
});

test("a sign-out in one tab is seen by all, and by a call that is open", async (t) => {
  const all = await signedIn(t, 3);
  const held = all.server.holdReply();
  const open = calls(all.pages[1], 5);
  await held.arrived;
  await all.page.evaluate(() => auth.signOut());
  await Promise.all(all.pages.map((page) => becomes(page, "signed-out")));
  assert.deepEqual(await open, ["NoSessionError no-session"]);
  held.release();
});

/** The error that a call in a page rejects with: what it says, and the classes of the main entry it belongs to. */
const refusal = (page) =>
  page.evaluate(async () => {
    const { RefreshError, RevokedError, TransientError } = await import("/pkg/index.js");
    const error = await auth.getTokens().catch((error) => error);
    const of = Object.entries({ RefreshError, RevokedError, TransientError }).filter(([, each]) => error instanceof each);
    return { ...error.toJSON(), of: of.map(([name]) => name), shown: auth.getSnapshot().error?.code === error.code };
  });

test("a server that is away: a TransientError with its status, and when to try again", async (t) => {
  const { page, server } = await signedIn(t, 1);
  const cors = { "access-control-allow-origin": "*", "access-control-expose-headers": "retry-after" };
  server.next(Infinity, unavailable({ ...cors, "retry-after": "30" }));
  const { of, shown, status, retryable, retryAt } = await refusal(page);
  assert.deepEqual({ of, shown, status, retryable }, { of: ["RefreshError", "TransientError"], shown: true, status: 503, retryable: true });
  assert.ok(retryAt > Date.now());
});

test("a session that the server has ended: a RevokedError with its reason, in every tab", async (t) => {
  const { pages, server, session } = await signedIn(t, 2);
  await server.endSession(session);
  for (const page of pages) {
    const { of, reason, code, signInRequired, oauthError } = await refusal(page);
    assert.deepEqual(of, ["RefreshError", "RevokedError"]);
    assert.deepEqual({ reason, signInRequired }, { reason: "unknown", signInRequired: true }, `${code} ${oauthError}`);
  }
  await Promise.all(pages.map((page) => becomes(page, "revoked")));
});

test("the worker dies: calls settle, another worker is made, and whoever signs in there is signed in everywhere", async (t) => {
  const all = await signedIn(t, 2);
  await calls(all.page, 1);
  await endSharedWorker(all.page);
  // What was only in its memory is gone, and it is said.
  for (const page of all.pages) assert.deepEqual(await calls(page, 5), ["NoSessionError no-session"]);
  const { tokens } = await all.server.signIn();
  await all.page.evaluate((refresh_token) => auth.setTokens({ refresh_token }), tokens.refresh_token);
  const [one, other] = await Promise.all(all.pages.map((page) => calls(page, 5)));
  assert.deepEqual(one, other);
  assert.equal(await all.server.isActive(one[0]), true);
});

test("the worker dies in mid-refresh: whoever waits settles", async (t) => {
  const all = await signedIn(t, 2);
  const held = all.server.holdReply();
  const told = all.pages.map((page) => calls(page, 5));
  await held.arrived;
  await endSharedWorker(all.page);
  for (const each of await Promise.all(told)) assert.deepEqual(each, ["NoSessionError no-session"]);
  held.release();
});

test("the worker's script is not there: a TransientError, and once it is there, tokens", async (t) => {
  const example = await startExample(t, "shared-worker", strict);
  example.replace("auth-worker.js", null);
  const page = await tab(t, await profile(t), example.origin);
  // Chromium does not always say that the script was missing: the worker may only be gone.
  const [told, ...others] = await calls(page, 5);
  assert.match(told, /^TransientError worker-(failed|lost)$/);
  assert.deepEqual(others, []);
  example.restore("auth-worker.js");
  await page.evaluate((refresh_token) => auth.setTokens({ refresh_token }), example.refreshToken);
  await assertLives(example, [await calls(page, 5)]);
});

test("the worker's script throws before it serves: the calls settle", async (t) => {
  const example = await startExample(t, "shared-worker", strict);
  example.replace("auth-worker.js", "throw new Error('at its start');");
  example.replace("auth.js", impatient);
  const page = await tab(t, await profile(t), example.origin);
  const [told] = await calls(page, 5);
  assert.match(told, /^TransientError worker-(failed|lost)$/);
});

const impatient = `
import { connect } from "refresh-coordinator/worker";
export const auth = connect(() => new SharedWorker(new URL("./auth-worker.js", import.meta.url), { type: "module" }), { patience: 400 });
`;

test("a worker that serves only after a while: whoever came before is answered then", async (t) => {
  const example = await startExample(t, "shared-worker", strict);
  const serving = 'import { memoryStore, RefreshCoordinator } from "refresh-coordinator";\nimport { serve } from "refresh-coordinator/worker";\nimport { clientId, tokenEndpoint } from "./settings.js";\n';
  example.replace("auth-worker.js", `${serving} await new Promise((begin) => (new BroadcastChannel("begin").onmessage = begin));
    serve(new RefreshCoordinator({ clientId, tokenEndpoint, store: memoryStore() }));`);
  const context = await profile(t);
  const pages = [await tab(t, context, example.origin), await tab(t, context, example.origin)];
  const told = pages[0].evaluate((refresh_token) => auth.setTokens({ refresh_token }).then(() => "signed in"), example.refreshToken);
  await pages[1].evaluate(async () => {
    const channel = new BroadcastChannel("begin");
    globalThis.beginning = setInterval(() => channel.postMessage("begin"), 50);
  });
  assert.equal(await told, "signed in");
  await pages[1].evaluate(() => clearInterval(beginning));
  await assertLives(example, await Promise.all(pages.map((page) => calls(page, 5))));
});

test("a page that comes back from the back/forward cache is connected again", async (t) => {
  const { pages, origin } = await signedIn(t, 2);
  const [page, other] = pages;
  await calls(page, 1);
  await page.evaluate(() => (globalThis.same = true));
  await page.goto(`${origin}/index.html?elsewhere`);
  await page.goBack({ waitUntil: "commit" });
  assert.equal(await page.evaluate(() => globalThis.same), true, "it was loaded again");
  // Without a call: a page that only looks is connected too.
  await other.evaluate(() => auth.signOut());
  await becomes(page, "signed-out");
});

/** A worker that lives on until the next page is there. */
const EXTENDED = `
import { connect } from "refresh-coordinator/worker";
export const auth = connect(() => new SharedWorker(new URL("./auth-worker.js", import.meta.url), { type: "module", extendedLifetime: true }));
`;

test("the only tab is reloaded: the worker ends with it, and a session that was only in its memory", async (t) => {
  const { page } = await signedIn(t, 1);
  await calls(page, 1);
  await page.reload();
  assert.deepEqual(await calls(page, 5), ["NoSessionError no-session"]);
});

test("the only tab is reloaded in mid-refresh, and its worker has a longer life: the refresh goes on, and is the only one", async (t) => {
  const all = await signedIn(t, 1, { "auth.js": EXTENDED });
  const held = all.server.holdReply();
  const lost = calls(all.page, 5).catch(() => "gone");
  await held.arrived;
  await all.page.reload();
  const told = calls(all.page, 5);
  held.release();
  await assertLives(all, [await told]);
  assert.equal(await lost, "gone");
});
