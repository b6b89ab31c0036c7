// Five tabs, a real authorization server, and the tab that presents the token ends before or after the server has rotated it.

import assert from "node:assert/strict";
import test from "node:test";

import { grace, strict } from "../authorization-server/personalities.mjs";
import { kill } from "./renderer.mjs";
import { calls, presenter, queued, signedInTabs } from "./signed-in-tabs.mjs";

const TABS = 5;

test("IM-03 N-02: five tabs with 2,000 callers each at one expiry: one rotation, and the same token in all", async (t) => {
  const { server, pages, session, open, counts } = await signedInTabs(t, TABS, strict);
  const held = server.holdRequest();
  const calling = pages.map((page) => calls(page, 2_000));
  await held.arrived;
  // Nobody comes so late that there is nothing left to wait for.
  await queued(pages[0], TABS - 1, calling);
  held.release();
  const tokens = new Set((await Promise.all(calling)).flat());
  assert.equal(tokens.size, 1, `what callers were told: ${[...tokens].join(", ")}`);
  assert.equal(await server.isActive([...tokens][0]), true);

  const later = await open();
  assert.deepEqual(await calls(later, 100), [...tokens], "a tab that is opened later has it too");
  assert.equal(server.oracle.presentations, 1);
  assert.equal(counts().rotations, 1);
  assert.equal(await server.hasSession(session), true);
});

const ends = { "is closed": (page) => page.close(), "is killed": kill, "is reloaded": (page) => page.reload() };

/** The tab that presents comes to its end while the server holds its request; what the others are told then. */
async function survivors(t, { count = TABS, personality, hold, end }) {
  const all = await signedInTabs(t, count, personality);
  const held = all.server[hold]();
  const told = all.pages.map((page) => calls(page, 20).catch(() => "gone"));
  await held.arrived;
  const first = await presenter(all.pages);
  await queued(first, count - 1, told);
  // Nothing more becomes of its request.
  await end(first);
  const others = told.filter((_, number) => all.pages[number] !== first);
  // What was reloaded asks again.
  if (end === ends["is reloaded"]) others.push(calls(await all.begin(first), 20));
  return { ...all, told: new Set((await Promise.all(others)).flat()) };
}

async function assertLives({ server, session, told }) {
  assert.equal(told.size, 1, `what the others were told: ${[...told].join(", ")}`);
  assert.equal(await server.isActive([...told][0]), true);
  assert.equal(await server.hasSession(session), true);
}

for (const [how, end] of Object.entries(ends)) {
  test(`the tab that presents ${how} before the server has rotated: the others go on`, async (t) => {
    const all = await survivors(t, { personality: strict, hold: "holdRequest", end });
    await assertLives(all);
    assert.equal(all.counts().rotations, 1);
  });

  test(`N-07: the tab that presents ${how} after the server has rotated: on a strict server nobody can go on, and all say why`, async (t) => {
    const { told } = await survivors(t, { personality: strict, hold: "holdReply", end });
    assert.deepEqual([...told], ["RevokedError response-lost"]);
  });

  test(`N-07: the tab that presents ${how} after the server has rotated: with grace the session lives`, async (t) => {
    await assertLives(await survivors(t, { personality: grace, hold: "holdReply", end }));
  });
}

// With nobody else there, what is reloaded has to take over from itself.
test("the only tab is reloaded before the server has rotated: it goes on", async (t) => {
  const all = await survivors(t, { count: 1, personality: strict, hold: "holdRequest", end: ends["is reloaded"] });
  await assertLives(all);
  assert.equal(all.counts().rotations, 1);
});

test("the only tab is reloaded after the server has rotated: on a strict server it says why it cannot go on", async (t) => {
  const { told } = await survivors(t, { count: 1, personality: strict, hold: "holdReply", end: ends["is reloaded"] });
  assert.deepEqual([...told], ["RevokedError response-lost"]);
});

test("the only tab is reloaded after the server has rotated: with grace the session lives", async (t) => {
  await assertLives(await survivors(t, { count: 1, personality: grace, hold: "holdReply", end: ends["is reloaded"] }));
});
