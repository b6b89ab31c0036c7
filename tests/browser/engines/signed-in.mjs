// Tabs of any engine that are signed in at a real authorization server, and share a store.

import { after } from "node:test";

import { startAuthorizationServer } from "../../authorization-server/provider.mjs";
import { begin as beginIn } from "../coordinators.mjs";
import { Site } from "./site.mjs";
import { stores } from "./stores.mjs";

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
 *
 * @param store one of `stores`
 * @param options the coordinators'
 */
export async function signedInTabs(t, browser, personality, { count, store = "indexed-db", options = {} }) {
  const server = await startAuthorizationServer(personality, { accessTokenLifetime: LIFETIME / 1_000 });
  t.after(() => server.close());
  const site = await Site.open(browser);
  t.after(() => site.close());
  const begin = (tab) => beginWith(tab, server, stores[store], options);
  const open = async () => begin(await site.tab());
  const pages = await Promise.all(Array.from({ length: count }, open));
  const { tokens, session } = await server.signIn();
  await pages[0].evaluate((refresh_token) => auth.setTokens({ refresh_token }), tokens.refresh_token);
  return { server, site, pages, session, open, begin };
}

/**
 * Makes a coordinator in a tab, whose clocks the tests move: by `ahead`, in milliseconds; by `skip()`, to the moment at which the
 * first timer ends; by `restFor`, so much when the page rests next, so that it finds timers at their end when it is back.
 */
async function beginWith(tab, server, store, options) {
  await tab.evaluate(async ([name, options]) => {
    const stores = await import("/pkg/stores/web.js");
    const monotonic = () => performance.now() + ahead;
    const sleepers = new Set();
    globalThis.ahead = 0;
    globalThis.skip = () => {
      const first = [...sleepers].reduce((one, other) => (other.due < one.due ? other : one));
      ahead += Math.max(0, first.due - monotonic());
      first.wake();
    };
    globalThis.restFor = (time) => {
      const rest = () => (ahead += time, time = 0);
      const wake = () => [...sleepers].filter(({ due }) => due <= monotonic()).forEach((sleeper) => sleeper.wake());
      for (const [target, type, react] of [[globalThis, "pagehide", rest], [document, "freeze", rest], [globalThis, "pageshow", wake], [document, "resume", wake]]) {
        target.addEventListener(type, react);
      }
    };
    globalThis.own = {
      store: stores[name](options),
      clock: {
        now: () => Date.now() + ahead,
        monotonic,
        sleep: (ms, signal) =>
          new Promise((resolve, reject) => {
            signal?.throwIfAborted();
            const end = () => (sleepers.delete(sleeper), clearTimeout(timer));
            const sleeper = { due: monotonic() + ms, wake: () => (end(), resolve()) };
            const timer = setTimeout(sleeper.wake, ms);
            sleepers.add(sleeper);
            signal?.addEventListener("abort", () => (end(), reject(signal.reason)), { once: true });
          }),
      },
      // The last thing a coordinator waits for before it claims the token. The tests may put a promise there.
      clientAuthentication: () => globalThis.beforeTheClaim,
    };
  }, store);
  await beginIn(tab, server, options);
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
