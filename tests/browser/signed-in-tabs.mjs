// Tabs that are signed in at a real authorization server. What is done to a tab can be done to a frame or worker too.

import { startAuthorizationServer } from "../authorization-server/provider.mjs";
import { profile, tab } from "./chromium.mjs";
import { begin as beginIn } from "./coordinators.mjs";

export { calls, presenter, queued } from "./coordinators.mjs";

/** Life of an access token, in milliseconds. */
export const LIFETIME = 3_600_000;

/**
 * So many tabs with a session whose access token has ended. `options` are the coordinators'; `furnish` is waited for in each
 * tab before its coordinator is made, `prepare` runs in every page before anything else, and `path` is where the pages are.
 */
export async function signedInTabs(t, count, personality, options = {}, { furnish = () => {}, prepare, path } = {}) {
  const server = await startAuthorizationServer(personality, { accessTokenLifetime: LIFETIME / 1_000 });
  t.after(() => server.close());
  const context = await profile(t, { prepare });
  const begin = (where) => beginIn(where, server, options);
  const open = async () => {
    const page = await tab(t, context, path);
    await furnish(page);
    return begin(page);
  };
  const pages = [];
  for (let number = 0; number < count; number += 1) pages.push(await open());
  const { tokens, session } = await server.signIn();
  await pages[0].evaluate((refresh_token) => auth.setTokens({ refresh_token }), tokens.refresh_token);
  return { server, context, pages, session, open, begin, counts: () => server.oracle.counts(session) };
}

/**
 * The same, and the tabs' clocks stand still until they are put ahead, all of them or those that are named. `began`: what they
 * show, in whole seconds since the epoch, but in milliseconds.
 */
export async function tabsWithClocks(t, count, personality, options) {
  const began = Math.floor(Date.now() / 1_000) * 1_000;
  const wind = (page) =>
    page.evaluate(async (began) => {
      const { clock, ...members } = await import("/tests/browser/clock.mjs");
      Object.assign(globalThis, { own: { clock: clock(began) }, ...members });
    }, began);
  const all = await signedInTabs(t, count, personality, options, { furnish: wind });
  const putAhead = (ms, pages = all.pages) => Promise.all(pages.map((page) => page.evaluate((ms) => putAhead(ms), ms)));
  return { ...all, began, putAhead };
}
