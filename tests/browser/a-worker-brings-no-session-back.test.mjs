// The page signs out while its worker refreshes: what the worker gets comes too late, is kept by nobody, and is revoked.

import assert from "node:assert/strict";
import test from "node:test";

import { strict } from "../authorization-server/personalities.mjs";
import { calls, signedInTabs } from "./signed-in-tabs.mjs";

const CALLERS = 5;

// Symptom of auth0/auth0-spa-js#1596.
for (const [when, hold] of [
  ["before", "holdRequest"],
  ["after", "holdReply"],
]) {
  test(`signed out on the page, ${when} the server has rotated for its worker: nobody is signed in, and no token lives on`, async (t) => {
    const { server, session, pages, begin } = await signedInTabs(t, 1, strict);
    const [page] = pages;
    const started = page.waitForEvent("worker");
    await page.evaluate(() => {
      globalThis.worker = new Worker("/tests/browser/an-empty-worker.mjs", { type: "module" });
    });
    const worker = await begin(await started);
    const held = server[hold]();
    const told = calls(worker, CALLERS);
    await held.arrived;
    await page.evaluate(() => auth.signOut());
    held.release();
    assert.deepEqual(await told, ["NoSessionError no-session"]);
    for (const where of [page, worker]) assert.deepEqual(await calls(where, CALLERS), ["NoSessionError no-session"]);
    await page.evaluate(async () => {
      while ((await navigator.locks.query()).held.length > 0);
    });
    await worker.evaluate(() => auth.drainRevocations());
    assert.equal(await server.hasSession(session), false);
    for (const token of server.oracle.issued) {
      assert.equal((await server.isAlive(token)) || (await server.isActive(token)), false, "a token lives on");
    }
    assert.equal(server.oracle.presentations, 1);
  });
}
