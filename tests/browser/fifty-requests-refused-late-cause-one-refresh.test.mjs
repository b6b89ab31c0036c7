// An access token is withdrawn while requests of several tabs are on their way with it. Their refusals come in over time, most of them
// after the refresh is over: each is repeated with the new token, and none of them causes another refresh.

import assert from "node:assert/strict";
import test from "node:test";

import { startResourceServer } from "../authorization-server/resource-server.mjs";
import { strict } from "../authorization-server/personalities.mjs";
import { calls, signedInTabs } from "./signed-in-tabs.mjs";

const TABS = 2;
const REQUESTS = 25;
/** So many requests a browser has under way to one origin at a time; the others wait within it, with their token. */
const CONNECTIONS = 6;

/** Tabs with a fresh token, and an API of another origin that asks the authorization server about tokens. */
async function tabsAndAnApi(t, exposed) {
  const withdrawn = new Set();
  let server;
  const api = await startResourceServer(async (token) => !withdrawn.has(token) && (await server.isActive(token)));
  t.after(() => api.close());
  api.exposed = exposed;
  const all = await signedInTabs(t, TABS, strict, { origins: [api.origin] });
  server = all.server;
  let token;
  for (const page of all.pages) [token] = await calls(page, 1);
  return { ...all, api, token, withdraw: () => withdrawn.add(token) };
}

// A challenge is a header that pages of another origin see only if the API exposes it.
for (const [what, exposed] of [
  ["whose challenge pages may read", "WWW-Authenticate"],
  ["whose challenge pages may not read", ""],
]) {
  test(`an API ${what}: fifty requests of two tabs are refused late: one refresh, and each request is repeated once`, async (t) => {
    const { server, pages, api, token, withdraw } = await tabsAndAnApi(t, exposed);
    const before = server.oracle.presentations;
    let [arrive, open] = [];
    const arrived = new Promise((resolve) => (arrive = resolve));
    const opened = new Promise((resolve) => (open = resolve));
    api.before = async (_request, count) => {
      if (count === CONNECTIONS) arrive();
      await opened;
    };
    for (const page of pages) {
      await page.evaluate(
        ([url, count]) => {
          const orders = Array.from({ length: count }, (_, number) => auth.fetch(`${url}/${number}`));
          globalThis.answered = Promise.all(orders).then((responses) => responses.map(({ status }) => status));
        },
        [api.url("/orders"), REQUESTS],
      );
    }
    await arrived;
    withdraw();
    open();
    const statuses = (await Promise.all(pages.map((page) => page.evaluate(() => answered)))).flat();
    assert.deepEqual(statuses, Array(TABS * REQUESTS).fill(200));
    assert.equal(server.oracle.presentations, before + 1);
    const tokens = api.requests.map((request) => request.token);
    assert.equal(tokens.filter((sent) => sent === token).length, TABS * REQUESTS, "all of them had left with the old token");
    assert.equal(new Set(tokens).size, 2);
    assert.equal(tokens.length, 2 * TABS * REQUESTS);
  });
}
