// Tabs that are signed in at a real authorization server.

import { PUBLIC_CLIENT, startAuthorizationServer } from "../authorization-server/provider.mjs";
import { profile, tab } from "./chromium.mjs";

/** So many tabs with a session whose access token has ended. */
export async function signedInTabs(t, count, personality) {
  const server = await startAuthorizationServer(personality, { accessTokenLifetime: 3_600 });
  t.after(() => server.close());
  const context = await profile(t);
  const open = () => openTab(t, context, server);
  const pages = [];
  for (let number = 0; number < count; number += 1) pages.push(await open());
  const { tokens, session } = await server.signIn();
  await pages[0].evaluate((refresh_token) => auth.setTokens({ refresh_token }), tokens.refresh_token);
  return { server, pages, session, open, counts: () => server.oracle.counts(session) };
}

async function openTab(t, context, server) {
  const page = await tab(t, context);
  await page.evaluate(
    async (options) => {
      const { RefreshCoordinator } = await import("/pkg/index.js");
      globalThis.auth = new RefreshCoordinator(options);
    },
    { clientId: PUBLIC_CLIENT, tokenEndpoint: server.tokenEndpoint },
  );
  return page;
}

/** What becomes of so many calls in a tab: the tokens and errors, each once. */
export function calls(page, count) {
  return page.evaluate(async (count) => {
    const ended = await Promise.allSettled(Array.from({ length: count }, () => auth.getAccessToken()));
    const told = ended.map(({ value, reason }) => value ?? [reason.name, reason.reason ?? reason.code].join(" "));
    return [...new Set(told)];
  }, count);
}

/** The tab whose request is on its way. */
export async function presenter(pages) {
  const presentations = await Promise.all(pages.map((page) => page.evaluate(() => auth.stats().presentations)));
  return pages[presentations.indexOf(1)];
}
