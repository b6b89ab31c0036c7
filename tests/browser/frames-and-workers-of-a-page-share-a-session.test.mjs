// A page of many contexts: frames and a module worker, each with a coordinator of its own, at a real authorization server.

import assert from "node:assert/strict";
import test from "node:test";

import { strict } from "../authorization-server/personalities.mjs";
import { calls, presenter, queued, signedInTabs } from "./signed-in-tabs.mjs";

const FRAMES = 5;

/** A page with frames of its own origin. The page itself asks for nothing. */
async function framedPage(t) {
  const all = await signedInTabs(t, 1, strict);
  const [page] = all.pages;
  await page.evaluate(
    (count) =>
      Promise.all(
        Array.from({ length: count }, () => {
          const frame = document.createElement("iframe");
          frame.src = "/frame";
          document.body.append(frame);
          return new Promise((resolve) => (frame.onload = resolve));
        }),
      ),
    FRAMES,
  );
  const frames = page.mainFrame().childFrames();
  for (const frame of frames) await all.begin(frame);
  return { ...all, frames };
}

/** A page and its module worker, with a coordinator in each. */
async function pageWithWorker(t) {
  const all = await signedInTabs(t, 1, strict);
  const [page] = all.pages;
  const started = page.waitForEvent("worker");
  await page.evaluate(() => {
    globalThis.worker = new Worker("/tests/browser/an-empty-worker.mjs", { type: "module" });
  });
  return { ...all, page, worker: await all.begin(await started) };
}

async function assertOneRotation({ server, session, counts }, told) {
  const tokens = new Set(told.flat());
  assert.equal(tokens.size, 1, `what callers were told: ${[...tokens].join(", ")}`);
  assert.equal(await server.isActive([...tokens][0]), true);
  assert.equal(counts().rotations, 1);
  assert.equal(await server.hasSession(session), true);
}

test("five frames of one page at one expiry: one rotation, and the same token in all", async (t) => {
  const all = await framedPage(t);
  const held = all.server.holdRequest();
  const told = all.frames.map((frame) => calls(frame, 400));
  await held.arrived;
  await queued(all.pages[0], FRAMES - 1, told);
  held.release();
  await assertOneRotation(all, await Promise.all(told));
  assert.equal(all.server.oracle.presentations, 1);
});

test("the frame that presents is removed before the server has rotated: the others go on", async (t) => {
  const all = await framedPage(t);
  const held = all.server.holdRequest();
  const told = all.frames.map((frame) => calls(frame, 20).catch(() => "gone"));
  await held.arrived;
  const first = await presenter(all.frames);
  await queued(all.pages[0], FRAMES - 1, told);
  const others = told.filter((_, number) => all.frames[number] !== first);
  const element = await first.frameElement();
  await element.evaluate((frame) => frame.remove());
  await assertOneRotation(all, await Promise.all(others));
});

test("a page and its worker at one expiry: one rotation, and the same token in both", async (t) => {
  const all = await pageWithWorker(t);
  const held = all.server.holdRequest();
  const places = [all.page, all.worker];
  const told = places.map((where) => calls(where, 1_000));
  await held.arrived;
  await queued(all.page, 1, told);
  held.release();
  await assertOneRotation(all, await Promise.all(told));
  assert.equal(all.server.oracle.presentations, 1);
});

test("what the worker has refreshed, the page takes over without a request, and the other way round", async (t) => {
  const { server, page, worker } = await pageWithWorker(t);
  for (const [one, other] of [
    [worker, page],
    [page, worker],
  ]) {
    const before = server.oracle.presentations;
    const fresh = await one.evaluate(() => auth.refresh().then(({ accessToken }) => accessToken));
    // The other hears of it a hop later, and until then has a token that is good too.
    while ((await calls(other, 1))[0] !== fresh);
    assert.equal(server.oracle.presentations, before + 1);
  }
});

test("the worker is ended while it presents, before the server has rotated: the page goes on", async (t) => {
  const all = await pageWithWorker(t);
  const held = all.server.holdRequest();
  const ended = calls(all.worker, 20).catch(() => "gone");
  await held.arrived;
  const told = calls(all.page, 20);
  await queued(all.page, 1, [told]);
  await all.page.evaluate(() => worker.terminate());
  await assertOneRotation(all, [await told]);
  assert.equal(await ended, "gone");
});
