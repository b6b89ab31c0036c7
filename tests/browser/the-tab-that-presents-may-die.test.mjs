// Five tabs, a real authorization server, and the tab that presents the token ends before or after the server has rotated it.

import assert from "node:assert/strict";
import test from "node:test";

import { grace, strict } from "../authorization-server/personalities.mjs";
import { kill } from "./renderer.mjs";
import { calls, presenter, signedInTabs } from "./signed-in-tabs.mjs";

const TABS = 5;

test("IM-03 N-02: five tabs with 2,000 callers each at one expiry: one rotation, and the same token in all", async (t) => {
  const { server, pages, session, counts } = await signedInTabs(t, TABS, strict);
  const told = await Promise.all(pages.map((page) => calls(page, 2_000)));
  const tokens = new Set(told.flat());
  assert.equal(tokens.size, 1, `what callers were told: ${[...tokens].join(", ")}`);
  assert.equal(await server.isActive([...tokens][0]), true);
  assert.equal(server.oracle.presentations, 1);
  assert.equal(counts().rotations, 1);
  assert.equal(await server.hasSession(session), true);
});

const ends = { "is closed": (page) => page.close(), "is killed": kill, "is reloaded": (page) => page.reload() };

/** The tab that presents comes to its end while the server holds its request; what the others are told then. */
async function survivors(t, personality, hold, end) {
  const all = await signedInTabs(t, TABS, personality);
  const held = hold(all.server);
  const told = all.pages.map((page) => calls(page, 20).catch(() => "gone"));
  await held.arrived;
  const first = await presenter(all.pages);
  // Nothing more becomes of its request.
  await end(first);
  const others = told.filter((_, number) => all.pages[number] !== first);
  return { ...all, told: new Set((await Promise.all(others)).flat()) };
}

for (const [how, end] of Object.entries(ends)) {
  test(`the tab that presents ${how} before the server has rotated: the others go on`, async (t) => {
    const { server, session, told, counts } = await survivors(t, strict, (server) => server.holdRequest(), end);
    assert.equal(told.size, 1, `what the others were told: ${[...told].join(", ")}`);
    assert.equal(await server.isActive([...told][0]), true);
    assert.equal(counts().rotations, 1);
    assert.equal(await server.hasSession(session), true);
  });

  test(`N-07: the tab that presents ${how} after the server has rotated: on a strict server nobody can go on, and all say why`, async (t) => {
    const { told } = await survivors(t, strict, (server) => server.holdReply(), end);
    assert.deepEqual([...told], ["RevokedError response-lost"]);
  });

  test(`N-07: the tab that presents ${how} after the server has rotated: with grace the session lives`, async (t) => {
    const { server, session, told } = await survivors(t, grace, (server) => server.holdReply(), end);
    assert.equal(told.size, 1, `what the others were told: ${[...told].join(", ")}`);
    assert.equal(await server.isActive([...told][0]), true);
    assert.equal(await server.hasSession(session), true);
  });
}
