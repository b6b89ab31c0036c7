// Tabs of any engine that are signed in at a real authorization server, and share what is in IndexedDB.

import { after } from "node:test";

import { startAuthorizationServer } from "../../authorization-server/provider.mjs";
import { begin as beginIn } from "../coordinators.mjs";
import { Site } from "./site.mjs";

/** So much later than now, in milliseconds, every access token has ended. */
export const LIFETIME = 3_600_000;

/** The engine's browser, for all tests of a file. Another one once a kill has used up the driver of the one before. */
export function oneBrowser(engine) {
  let browser;
  after(() => browser?.close());
  return async () => {
    if (browser?.isSpent()) await browser.close();
    if (browser === undefined || browser.isSpent()) browser = await engine.launch();
    return browser;
  };
}

/**
 * So many tabs of a site of their own, in a browser. They have a session of which only the refresh token is left, a coordinator
 * each, as `auth`, and what it has said so far, as `events`.
 */
export async function signedInTabs(t, browser, count, personality) {
  const server = await startAuthorizationServer(personality, { accessTokenLifetime: LIFETIME / 1_000 });
  t.after(() => server.close());
  const site = await Site.open(browser);
  t.after(() => site.close());
  const open = async () => begin(await site.tab(), server);
  const pages = await Promise.all(Array.from({ length: count }, open));
  const { tokens, session } = await server.signIn();
  await pages[0].evaluate((refresh_token) => auth.setTokens({ refresh_token }), tokens.refresh_token);
  return { server, site, pages, session, open, begin: (tab) => begin(tab, server) };
}

/** Makes a coordinator in a tab, whose clocks the tests move by `ahead`, in milliseconds. */
async function begin(tab, server) {
  await tab.evaluate(async () => {
    const { indexedDbStore } = await import("/pkg/stores/web.js");
    globalThis.ahead = 0;
    globalThis.own = {
      store: indexedDbStore(),
      clock: {
        now: () => Date.now() + ahead,
        monotonic: () => performance.now() + ahead,
        sleep: (ms, signal) =>
          new Promise((resolve, reject) => {
            signal?.throwIfAborted();
            const timer = setTimeout(resolve, ms);
            signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
          }),
      },
    };
  });
  await beginIn(tab, server);
  await tab.evaluate(() => {
    globalThis.events = [];
    auth.subscribe((event) => event && events.push(event));
  });
  return tab;
}

/** Waits until the coordinator of a tab has said something, which may have been before. */
export const hears = (tab, type) =>
  tab.evaluate(
    (type) =>
      new Promise((resolve) => {
        const look = () => events.some((event) => event.type === type) && resolve();
        auth.subscribe(look);
        look();
      }),
    type,
  );

/** Waits until the snapshot of a tab has this status. */
export const becomes = (tab, status) =>
  tab.evaluate(
    (status) =>
      new Promise((resolve) => {
        const look = () => auth.getSnapshot().status === status && resolve();
        auth.subscribe(look);
        look();
      }),
    status,
  );
