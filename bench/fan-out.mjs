// How soon the tabs that wait have the token that one of them got: beside a bare hop over a BroadcastChannel, and beside the same tabs
// without announcements, which the lock calls one after the other. In one run, in Chromium, at a real authorization server.

import { strict } from "../tests/authorization-server/personalities.mjs";
import { begin, queued } from "../tests/browser/coordinators.mjs";
import { chromium } from "../tests/browser/engines/chromium.mjs";
import { LIFETIME, signedInTabs } from "../tests/browser/engines/signed-in.mjs";
import { median } from "./measure.mjs";

const WAITING = [2, 10, 50];
const ROUNDS = 9;

export async function fanOut() {
  const browser = await chromium.launch();
  try {
    const rows = [];
    for (const waiting of WAITING) rows.push({ waiting, ...(await measure(browser, waiting)) });
    return rows;
  } finally {
    await browser.close();
  }
}

async function measure(browser, waiting) {
  const ends = [];
  const rounds = { token: [], hop: [], queue: [] };
  try {
    const { server, pages } = await signedInTabs({ after: (end) => ends.unshift(end) }, browser, strict, { count: waiting + 1 });
    for (const page of pages) await page.evaluate(prepare);
    let expiries = 0;
    const inTurn = { token: () => untilTheLastToken(server, pages, (expiries += 1)), hop: () => bareHop(pages) };
    const measureEach = async (measurements) => {
      // One round more than is counted: the first warms up.
      for (let round = 0; round <= ROUNDS; round += 1) {
        for (const [what, took] of Object.entries(measurements)) {
          const ms = await took();
          if (round > 0) rounds[what].push(ms);
        }
      }
    };
    await measureEach(inTurn);
    for (const page of pages) {
      await page.evaluate(silence);
      await begin(page, server);
    }
    await measureEach({ queue: inTurn.token });
  } finally {
    for (const end of ends) await end();
  }
  return Object.fromEntries(Object.entries(rounds).map(([what, ms]) => [what, median(ms)]));
}

/** In every tab: a clock that all tabs share, the moment of the reply, and a channel beside the coordinator's. */
function prepare() {
  globalThis.now = () => performance.timeOrigin + performance.now();
  const send = fetch;
  globalThis.fetch = (...request) => send(...request).then((reply) => ((globalThis.replied = now()), reply));
  globalThis.bare = new BroadcastChannel("bare");
}

/** The next coordinator of the tab says nothing to others, and hears nothing of them. */
function silence() {
  auth.close();
  own.channel = { postMessage() {}, addEventListener() {}, removeEventListener() {} };
}

/** From the winner's reply to the last tab's token. */
async function untilTheLastToken(server, pages, round) {
  const held = server.holdRequest();
  const call = (ahead) => {
    globalThis.ahead = ahead;
    globalThis.told = auth.getAccessToken().then(now);
  };
  const before = await Promise.all(pages.map((page) => page.evaluate(() => auth.stats().presentations)));
  await Promise.all(pages.map((page) => page.evaluate(call, round * LIFETIME)));
  await held.arrived;
  await queued(pages[0], pages.length - 1);
  held.release();
  const told = await Promise.all(pages.map((page) => page.evaluate(() => told)));
  const after = await Promise.all(pages.map((page) => page.evaluate(() => auth.stats().presentations)));
  const first = after.findIndex((count, number) => count > before[number]);
  return Math.max(...told.filter((_, number) => number !== first)) - (await pages[first].evaluate(() => replied));
}

/** From a message to the last tab's listener. */
async function bareHop([sender, ...others]) {
  await Promise.all(others.map((page) => page.evaluate(() => void (globalThis.hopped = new Promise((resolve) => (bare.onmessage = () => resolve(now())))))));
  const sent = await sender.evaluate(() => {
    const at = now();
    bare.postMessage("hop");
    return at;
  });
  return Math.max(...(await Promise.all(others.map((page) => page.evaluate(() => hopped))))) - sent;
}
