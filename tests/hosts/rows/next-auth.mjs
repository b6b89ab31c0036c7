// Applications on next-auth 4 and Auth.js 5, built and started as their users do. A browser's cookie has an access token that has
// ended; whatever part of the application meets it, the authorization server sees one rotation, and every answer has a good session.
// With a callback that was written by hand, the same application loses it.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { startRedis } from "../../databases/redis-server.mjs";
import { startUpstashFront } from "../../databases/upstash-front.mjs";
import { visit } from "../chromium.mjs";
import { sessionCookies, sessionsIn, shown, told, versions, withStaleSession } from "../next-auth-app.mjs";

const BY_HAND = ["likeTheGuide", "withMapOfPromises"];

export const rows = Object.entries(versions).flatMap(([major, app]) => [
  { name: `NextAuth ${major}, 50 requests at once, and late ones`, run: (row) => late(row, app) },
  { name: `NextAuth ${major}, one view: proxy, layout, page and client`, run: (row) => view(row, app) },
  { name: `NextAuth ${major}, a Server Component that refreshed`, run: (row) => component(row, app) },
  { name: `NextAuth ${major}, Node and edge routes on one Redis`, run: (row) => routes(row, app) },
  { name: `NextAuth ${major}, page in Chromium`, run: (row) => page(row, app) },
  ...BY_HAND.map((callback) => ({ name: `NextAuth ${major}, by contrast: ${callback}`, run: (row) => contrast(row, app, callback) })),
]);

/** What a view asks for: a page behind the proxy, its layout, and what its script asks. All with the same cookie. */
async function viewed(get) {
  return (await Promise.all([shown(get, "", ["layout", "page"]), told(get, "api/auth/session")])).flat();
}

/** The browser's requests, and some that it had queued: they come with the old cookie when others have long been answered. */
async function late(row, app) {
  const { cwd, server, get, believe, host } = await withStaleSession(row, app);
  const sessions = (await Promise.all(Array.from({ length: 50 }, () => told(get, "api/auth/session")))).flat();
  for (const milliseconds of [50, 1_000, 30_000]) {
    await sleep(milliseconds);
    sessions.push(...(await viewed(get)));
  }
  const last = await get("api/auth/session");
  await believe([...sessions, await last.json()]);
  const [cookie] = sessionCookies(last, app);
  const { refreshToken } = await app.unseal(cwd, cookie.slice(cookie.indexOf("=") + 1));
  assert.equal(await server.isAlive(refreshToken), true, "and the browser has got what the session goes on with");
  return { host, did: "50 requests, and a view after 50 ms, 1 s and 30 s, 1 rotation" };
}

/** Ten times at once what a view asks for, and then once more with the same old cookie. */
async function view(row, app) {
  const { get, believe, host } = await withStaleSession(row, app);
  const views = await Promise.all(Array.from({ length: 10 }, () => viewed(get)));
  await believe([...views.flat(), ...(await viewed(get))]);
  return { host, did: "11 views of 4 parts, 1 rotation" };
}

/** The page sets no cookie; what comes with the old one is answered with the successor, and gets it in a cookie. */
async function component(row, app) {
  const { get, believe, host } = await withStaleSession(row, app);
  const response = await get("component");
  assert.equal(sessionCookies(response, app).length, 0, "a Server Component sets no cookie");
  const first = sessionsIn(await response.text(), ["layout", "page"]);
  const again = await shown(get, "component", ["layout", "page"]);
  const route = await get(app.node);
  const cookies = sessionCookies(route, app);
  assert.ok(cookies.length > 0, "a route does");
  const session = await route.json();
  const next = await told(get, "api/auth/session", cookies.join("; "));
  await believe([...first, ...again, session, ...next]);
  return { host, did: "5 requests with the old cookie or the new, 1 rotation" };
}

/** The edge runtime has a global object of its own, and speaks HTTP only: what it shares with the rest of the application is Redis. */
async function routes(row, app) {
  const redis = await startRedis(row);
  const { url: front, token } = await startUpstashFront(row, redis.url);
  const { server, get, believe, host } = await withStaleSession(row, app, {
    REDIS_URL: redis.url,
    UPSTASH_REDIS_REST_URL: front,
    UPSTASH_REDIS_REST_TOKEN: token,
  });
  const asked = Array.from({ length: 20 }, (_, index) => told(get, index % 2 ? app.node : "edge"));
  const answers = (await Promise.all(asked)).flat();
  await believe([...answers, ...(await shown(get, "component", ["layout", "page"]))]);
  const kept = await redis.dump();
  assert.match(kept, /refresh-coordinator:/);
  for (const secret of server.oracle.issued) assert.equal(kept.includes(secret), false, "no token is readable in Redis");
  return { host, did: `${answers.length} requests in two runtimes, 1 rotation; Redis holds no token` };
}

/** A real browser: proxy, layout, page, and the client's own question, all with one cookie. Then its page calls `update`. */
async function page(row, app) {
  const { url, server, believe, cookie, host } = await withStaleSession(row, app);
  const { page, host: browser } = await visit(row, url, { cookies: [{ name: app.cookie, value: cookie, url }] });
  const parts = await Promise.all(["layout", "page"].map((id) => page.getAttribute(`#${id}`, "data-session")));
  const client = await page.evaluate(() => host.session);
  await believe([...parts.map((part) => JSON.parse(part)), client]);

  const updated = await page.evaluate(() => host.update({ refresh: "newer" }));
  assert.equal(updated.error, undefined);
  assert.notEqual(updated.accessToken, client.accessToken);
  assert.equal(await server.isActive(updated.accessToken), true);
  assert.equal(server.oracle.presentations, 2);
  return { host: `${host}, ${browser}`, did: "a page of Server Components and a client, 1 rotation; an update, 1 more" };
}

/** One view and one request after it, and the server has ended the session. */
async function contrast(row, app, callback) {
  const { server, session, get, host } = await withStaleSession(row, app, { BY_HAND: callback });
  const sessions = [...(await viewed(get)), ...(await told(get, "api/auth/session"))];
  const failed = sessions.filter(({ error }) => error === "RefreshTokenError").length;
  assert.ok(failed > 0);
  assert.equal(await server.hasSession(session), false);
  const { reuses } = server.oracle.counts(session);
  assert.ok(reuses > 0);
  return { host, did: `1 view and 1 late request: ${failed} of ${sessions.length} failed, reuse seen ${reuses}×, session ended` };
}
