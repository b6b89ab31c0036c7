// The applications on next-auth 4 and Auth.js 5: built as their users do, started at an authorization server, and asked with the
// cookie of a browser.

import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import * as v5 from "@auth/core/jwt";

import { CLIENT_SECRET, CONFIDENTIAL_CLIENT } from "../authorization-server/provider.mjs";
import { execute, serve } from "./execute.mjs";
import { command, version } from "./project.mjs";
import { scene } from "./scene.mjs";

const SECRET = "a secret of this application, long enough";
const SALT = "authjs.session-token";

/** Each version has a format of its own for what is in the cookie. */
const v4 = (cwd) => createRequire(join(cwd, "package.json"))("next-auth/jwt");

export const versions = {
  4: {
    project: "next-auth-4",
    cookie: "next-auth.session-token",
    node: "api/node",
    seal: (cwd, token) => v4(cwd).encode({ token, secret: SECRET }),
    unseal: (cwd, token) => v4(cwd).decode({ token, secret: SECRET }),
  },
  5: {
    project: "next-auth-5",
    cookie: SALT,
    node: "node",
    seal: (_cwd, token) => v5.encode({ token, secret: SECRET, salt: SALT }),
    unseal: (_cwd, token) => v5.decode({ token, secret: SECRET, salt: SALT }),
  },
};

/** The application, with a session whose access token has ended in the cookie of a browser. */
export async function withStaleSession(row, app, env) {
  const { server, settings, session, believeTokens } = await scene(row, { clientId: CONFIDENTIAL_CLIENT });
  const { url, cwd, get: ask, host } = await started(row, app, server, env);
  const { access_token: accessToken, refresh_token: refreshToken, expires_at: expiresAt } = settings.stale;
  const cookie = await app.seal(cwd, { name: "Ada", email: "ada@example", accessToken, refreshToken, expiresAt });
  /** Without another cookie, with the one that has been there from the beginning. */
  const get = (path, sent = `${app.cookie}=${cookie}`) => ask(path, sent);
  /** Every session is good, and the server saw one rotation of it. */
  async function believe(sessions) {
    for (const session of sessions) assert.equal(session?.error, undefined, JSON.stringify(session));
    await believeTokens(sessions.map((session) => session?.accessToken));
    assert.equal(server.oracle.presentations, 1);
  }
  return { url, cwd, server, session, get, believe, cookie, host };
}

/** The application at an authorization server. `get` asks it for a page or a route. */
export async function started(row, app, server, env = {}) {
  const cwd = await built(row, app);
  const next = join("node_modules", "next", "dist", "bin", "next");
  const [, url] = await serve(row, process.execPath, [next, "start", "--hostname", "127.0.0.1", "--port", "0"], {
    cwd,
    env: {
      AUTH_TRUST_HOST: "1",
      BUNDLER: "Turbopack",
      CLIENT_ID: CONFIDENTIAL_CLIENT,
      CLIENT_SECRET,
      ISSUER: server.issuer,
      REVOCATION_ENDPOINT: server.revocationEndpoint,
      TOKEN_ENDPOINT: server.tokenEndpoint,
      ...env,
    },
    ready: /Local:\s+(\S+)/,
  });
  const get = async (path, cookie) => {
    const response = await fetch(new URL(path, url), { headers: { cookie }, redirect: "manual" });
    assert.equal(response.status, 200, `${path}: ${response.status}`);
    return response;
  };
  return { url, cwd, get, host: await hostOf(cwd) };
}

export async function hostOf(cwd) {
  return `next-auth ${await version(cwd, "next-auth")}, Next.js ${await version(cwd, "next")}`;
}

const builds = new Map();

/** Builds an application once per run and bundler. Compiles its types as well. */
export function built(row, { project }, bundler = "Turbopack") {
  const name = `${project}, ${bundler}`;
  if (!builds.has(name)) builds.set(name, build(row, project, bundler));
  return builds.get(name);
}

async function build(row, project, bundler) {
  const cwd = await row.project(project);
  const beside = { "fixtures/next-auth": cwd, "../next-auth/other-callbacks.mjs": join(cwd, "other-callbacks.mjs") };
  for (const [from, to] of Object.entries(beside)) await cp(fileURLToPath(new URL(from, import.meta.url)), to, { recursive: true });
  const args = ["build", `--${bundler.toLowerCase()}`];
  const { stdout, stderr } = await execute(command(cwd, "next"), args, { cwd, env: { BUNDLER: bundler } });
  const warnings = `${stdout}\n${stderr}`.split("\n").filter((line) => /⚠|warn/i.test(line));
  assert.deepEqual(warnings.filter((line) => !OF_THE_SCENE.test(line)), [], "builds without a warning");
  return cwd;
}

/** There is no cache in a new folder, and an edge route is what is tried. */
const OF_THE_SCENE = /No build cache found|The Edge Runtime is deprecated|Using edge runtime on a page/;

/** The session that a route answers with. */
export async function told(get, path, cookie) {
  return [await (await get(path, cookie)).json()];
}

/** The sessions that the parts of a page were told. */
export async function shown(get, path, parts) {
  return sessionsIn(await (await get(path)).text(), parts);
}

export function sessionsIn(html, parts) {
  return parts.map((id) => {
    const [, attribute] = new RegExp(`id="${id}" data-session="([^"]*)"`).exec(html) ?? assert.fail(`no ${id} in ${html}`);
    return JSON.parse(attribute.replaceAll("&quot;", '"').replaceAll("&amp;", "&"));
  });
}

/** The session's cookies that a response sets, as a request would send them. */
export function sessionCookies(response, app) {
  const set = response.headers.getSetCookie().map((line) => line.split(";")[0]);
  return set.filter((cookie) => cookie.startsWith(app.cookie));
}
