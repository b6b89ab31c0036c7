// Applications on next-auth 4 and Auth.js 5, built and started as their users do. A browser's cookie has an access token that has
// ended; whatever part of the application meets it, the authorization server sees one rotation, and every answer has a good session.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";

import { encode } from "@auth/core/jwt";

import { visit } from "../chromium.mjs";
import { execute, serve } from "../execute.mjs";
import { command, version } from "../project.mjs";
import { scene } from "../scene.mjs";
import { sharedStore } from "../shared-store.mjs";

const SECRET = "a secret of this application, long enough";

const versions = {
  4: {
    project: "next-auth-4",
    cookie: "next-auth.session-token",
    node: "api/node",
    // Each version has a format of its own.
    seal: (cwd, token) => createRequire(join(cwd, "package.json"))("next-auth/jwt").encode({ token, secret: SECRET }),
  },
  5: {
    project: "next-auth-5",
    cookie: "authjs.session-token",
    node: "node",
    seal: (_cwd, token) => encode({ token, secret: SECRET, salt: "authjs.session-token" }),
  },
};

export const rows = Object.entries(versions).flatMap(([major, app]) => [
  { name: `NextAuth ${major}, one view: proxy, layout, page and client`, run: (row) => view(row, app) },
  { name: `NextAuth ${major}, a Server Component that refreshed`, run: (row) => component(row, app) },
  { name: `NextAuth ${major}, Node and edge routes with a shared store`, run: (row) => routes(row, app) },
  { name: `NextAuth ${major}, page in Chromium`, run: (row) => page(row, app) },
]);

/** Ten times at once what a view asks for, and then once more with the same old cookie. */
async function view(row, app) {
  const { get, believe, host } = await started(row, app);
  const once = async () => (await Promise.all([shown(get, "", ["layout", "page"]), told(get, "api/auth/session")])).flat();
  const views = await Promise.all(Array.from({ length: 10 }, once));
  await believe([...views.flat(), ...(await once())]);
  return { host, did: "11 views of 4 parts, 1 rotation" };
}

/** The page sets no cookie; what comes with the old one is answered with the successor, and gets it in a cookie. */
async function component(row, app) {
  const { get, believe, host } = await started(row, app);
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

/** The edge runtime has a global object of its own: it and the rest of the application need a store between them. */
async function routes(row, app) {
  const { get, believe, host } = await started(row, app, { SHARED_STORE: await sharedStore(row) });
  const asked = Array.from({ length: 20 }, (_, index) => told(get, index % 2 ? app.node : "edge"));
  const answers = (await Promise.all(asked)).flat();
  await believe([...answers, ...(await shown(get, "component", ["layout", "page"]))]);
  return { host, did: `${answers.length} requests in two runtimes, 1 rotation` };
}

/** A real browser: proxy, layout, page, and the client's own question, all with one cookie. Then its page calls `update`. */
async function page(row, app) {
  const { url, server, believe, cookie, host } = await started(row, app);
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

/** The application, started with a session whose access token has ended. */
async function started(row, app, env = {}) {
  const { server, settings, believeTokens } = await scene(row);
  const cwd = await built(row, app);
  const next = join("node_modules", "next", "dist", "bin", "next");
  const [, url] = await serve(row, process.execPath, [next, "start", "--hostname", "127.0.0.1", "--port", "0"], {
    cwd,
    env: { CLIENT_ID: settings.clientId, TOKEN_ENDPOINT: settings.tokenEndpoint, AUTH_TRUST_HOST: "1", ...env },
    ready: /Local:\s+(\S+)/,
  });
  const { access_token: accessToken, refresh_token: refreshToken, expires_at: expiresAt } = settings.stale;
  const cookie = await app.seal(cwd, { name: "Ada", email: "ada@example", accessToken, refreshToken, expiresAt });
  const get = async (path, sent = `${app.cookie}=${cookie}`) => {
    const response = await fetch(new URL(path, url), { headers: { cookie: sent }, redirect: "manual" });
    assert.equal(response.status, 200, `${path}: ${response.status}`);
    return response;
  };
  /** Every session is good, and the server saw one rotation of it. */
  async function believe(sessions) {
    for (const session of sessions) assert.equal(session?.error, undefined, JSON.stringify(session));
    await believeTokens(sessions.map((session) => session?.accessToken));
    assert.equal(server.oracle.presentations, 1);
  }
  const host = `next-auth ${await version(cwd, "next-auth")}, Next.js ${await version(cwd, "next")}`;
  return { url, server, get, believe, cookie, host };
}

const builds = new Map();

/** Builds an application once per run. Compiles its types as well. */
function built(row, { project }) {
  if (!builds.has(project)) builds.set(project, build(row, project));
  return builds.get(project);
}

async function build(row, project) {
  const cwd = await row.project(project);
  const { stdout, stderr } = await execute(command(cwd, "next"), ["build"], { cwd });
  assert.doesNotMatch(stdout + stderr, /refresh-coordinator\/pkg/, "builds without a warning about this package");
  return cwd;
}

/** The session that a route answers with. */
async function told(get, path, cookie) {
  return [await (await get(path, cookie)).json()];
}

/** The sessions that the parts of a page were told. */
async function shown(get, path, parts) {
  return sessionsIn(await (await get(path)).text(), parts);
}

function sessionsIn(html, parts) {
  return parts.map((id) => {
    const [, attribute] = new RegExp(`id="${id}" data-session="([^"]*)"`).exec(html) ?? assert.fail(`no ${id} in ${html}`);
    return JSON.parse(attribute.replaceAll("&quot;", '"').replaceAll("&amp;", "&"));
  });
}

/** The session's cookies that a response sets, as a request would send them. */
function sessionCookies(response, app) {
  const set = response.headers.getSetCookie().map((line) => line.split(";")[0]);
  return set.filter((cookie) => cookie.startsWith(app.cookie));
}
