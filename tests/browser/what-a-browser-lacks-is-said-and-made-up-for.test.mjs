// Browsers, frames and origins without locks, without a channel, without either: an event says what is missing, and where the
// store is shared, one token is still presented once. A real authorization server that ends the session otherwise.

import assert from "node:assert/strict";
import test from "node:test";

import { strict } from "../authorization-server/personalities.mjs";
import { insecureOrigin } from "./chromium.mjs";
import { calls, presenter, queued, signedInTabs } from "./signed-in-tabs.mjs";
import { happened } from "./single-use.mjs";

const LACKS = {
  locks: () => Object.defineProperty(Navigator.prototype, "locks", { value: undefined }),
  channel: () => delete globalThis.BroadcastChannel,
  both: () => {
    Object.defineProperty(Navigator.prototype, "locks", { value: undefined });
    delete globalThis.BroadcastChannel;
  },
};
const SAID = { locks: ["locks"], channel: ["channel"], both: ["locks", "channel"] };

/** Tabs that hear of everything from the beginning. */
function listeningTabs(t, count, options, others) {
  const furnish = (page) => page.evaluate(() => void (globalThis.events = []));
  return signedInTabs(t, count, strict, options, { furnish, ...others });
}

/** What each tab has heard to be degraded. */
const degraded = (pages) =>
  Promise.all(pages.map((page) => page.evaluate(() => events.filter(({ type }) => type === "degraded").map(({ what }) => what))));

/** All tabs call at once, and the server answers when each of the others waits for the one that presents. */
async function race({ server, pages }) {
  const held = server.holdRequest();
  const told = pages.map((page) => calls(page, 5));
  await held.arrived;
  if (await pages[0].evaluate(() => navigator.locks !== undefined)) {
    await queued(pages[0], pages.length - 1, told);
  } else {
    const first = await presenter(pages);
    for (const page of pages) if (page !== first) await happened(page, "waiting");
  }
  held.release();
  return Promise.all(told);
}

async function assertOneRotation({ server, session, counts }, told) {
  const tokens = new Set(told.flat());
  assert.equal(tokens.size, 1, `what callers were told: ${[...tokens].join(", ")}`);
  assert.equal(await server.isActive([...tokens][0]), true);
  assert.equal(counts().rotations, 1);
  assert.equal(server.oracle.presentations, 1);
  assert.equal(await server.hasSession(session), true);
}

for (const [lack, prepare] of Object.entries(LACKS)) {
  test(`without ${lack}: four tabs with five callers each at one expiry, one presentation, and each tab has said it`, async (t) => {
    const all = await listeningTabs(t, 4, {}, { prepare });
    await assertOneRotation(all, await race(all));
    for (const said of await degraded(all.pages)) assert.deepEqual(said, SAID[lack]);
  });
}

test("a browser that lacks nothing says nothing", async (t) => {
  const all = await listeningTabs(t, 2, {});
  await assertOneRotation(all, await race(all));
  assert.deepEqual(await degraded(all.pages), [[], []]);
});

test("without both: the tab that presents is closed before the server has rotated, and one other tab takes over", async (t) => {
  // An intent without a lock is watched for as long as it may live.
  const all = await listeningTabs(t, 4, { timeout: 1_000 }, { prepare: LACKS.both });
  const held = all.server.holdRequest();
  const told = all.pages.map((page) => calls(page, 5).catch(() => "gone"));
  await held.arrived;
  const first = await presenter(all.pages);
  await first.close();
  const others = all.pages.filter((page) => page !== first);
  const tokens = new Set((await Promise.all(told.filter((_, number) => all.pages[number] !== first))).flat());
  assert.equal(tokens.size, 1, [...tokens].join(", "));
  assert.equal(all.counts().rotations, 1);
  assert.equal(await all.server.hasSession(all.session), true);
  const presented = await Promise.all(others.map((page) => page.evaluate(() => auth.stats().presentations)));
  assert.deepEqual(presented.toSorted(), [0, 0, 1]);
  await happened(others[presented.indexOf(1)], "taken-over");
});

test("without a channel: a sign-out is heeded by the next call that looks, and nothing is written back", async (t) => {
  const all = await listeningTabs(t, 2, {}, { prepare: LACKS.channel });
  const [one, two] = all.pages;
  const [token] = await calls(two, 1);
  assert.deepEqual(await one.evaluate(() => auth.signOut()), { revoked: true });
  assert.equal(await two.evaluate((rejected) => auth.refresh({ rejected }).catch((error) => error.name), token), "NoSessionError");
  assert.equal(all.counts().rotations, 1);
});

test("over http from elsewhere than this machine: no locks and no WebCrypto, said so, and one presentation by four tabs", async (t) => {
  const all = await listeningTabs(t, 4, {}, { path: insecureOrigin() });
  const lacks = await all.pages[0].evaluate(() => [isSecureContext, typeof navigator.locks, typeof crypto.subtle]);
  assert.deepEqual(lacks, [false, "undefined", "undefined"]);
  await assertOneRotation(all, await race(all));
  for (const said of await degraded(all.pages)) assert.deepEqual(said, ["locks"]);
  // What cannot be kept without sealing is not kept in the clear instead.
  const refused = await all.pages[0].evaluate(async () => {
    const { RefreshCoordinator } = await import("/pkg/index.js");
    const code = (error) => `${error.name} ${error.code}`;
    const renewed = await auth.renew({ refresh_token: "R" }).catch(code);
    const sealed = new RefreshCoordinator({ name: "sealed", refresh: () => ({}), sealKey: "0123456789abcdef" });
    return [renewed, await sealed.setTokens({ access_token: "A", refresh_token: "R", expires_in: 60 }).catch(code)];
  });
  assert.deepEqual(refused, ["ConfigurationError no-webcrypto", "StoreError store-sealed"]);
});
