// Tabs that are signed in at a real authorization server. What is done to a tab can be done to a frame or worker too.

import assert from "node:assert/strict";

import { PUBLIC_CLIENT, startAuthorizationServer } from "../authorization-server/provider.mjs";
import { profile, tab } from "./chromium.mjs";

/** So many tabs with a session whose access token has ended. `options` are the coordinators'. */
export async function signedInTabs(t, count, personality, options = {}) {
  const server = await startAuthorizationServer(personality, { accessTokenLifetime: 3_600 });
  t.after(() => server.close());
  const context = await profile(t);
  const begin = (where) => beginIn(where, server, options);
  const open = async () => begin(await tab(t, context));
  const pages = [];
  for (let number = 0; number < count; number += 1) pages.push(await open());
  const { tokens, session } = await server.signIn();
  await pages[0].evaluate((refresh_token) => auth.setTokens({ refresh_token }), tokens.refresh_token);
  return { server, pages, session, open, begin, counts: () => server.oracle.counts(session) };
}

/** Makes a coordinator in a page, frame or worker. */
async function beginIn(where, server, options) {
  await where.evaluate(
    async (options) => {
      const { RefreshCoordinator } = await import("/pkg/index.js");
      globalThis.auth = new RefreshCoordinator(options);
    },
    {
      clientId: PUBLIC_CLIENT,
      tokenEndpoint: server.tokenEndpoint,
      revocationEndpoint: server.revocationEndpoint,
      ...options,
    },
  );
  return where;
}

/** What becomes of so many calls in a tab: the tokens and errors, each once. */
export function calls(where, count) {
  return where.evaluate(async (count) => {
    const ended = await Promise.allSettled(Array.from({ length: count }, () => auth.getAccessToken()));
    const told = ended.map(({ value, reason }) => value ?? [reason.name, reason.reason ?? reason.code].join(" "));
    return [...new Set(told)];
  }, count);
}

/** The tab whose request is on its way. */
export async function presenter(places) {
  const presentations = await Promise.all(places.map((where) => where.evaluate(() => auth.stats().presentations)));
  return places[presentations.indexOf(1)];
}

/** Waits until so many tabs queue behind the one that holds the lock. None of the calls may end before. */
export async function queued(page, count, told) {
  const queue = page.evaluate(async (count) => {
    while ((await navigator.locks.query()).pending.length < count);
  }, count);
  const early = await Promise.race([queue, ...told]);
  assert.equal(early, undefined, `told before all others had queued: ${early}`);
}
