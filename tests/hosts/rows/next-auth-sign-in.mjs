// A user of the same applications: signs in at the authorization server with a browser, stays longer than an access token lives, and
// signs out. The callback gets what next-auth makes of the server's answer, and the server sees what a user expects.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { strict } from "../../authorization-server/personalities.mjs";
import { startAuthorizationServer } from "../../authorization-server/provider.mjs";
import { browse } from "../chromium.mjs";
import { started, told, versions } from "../next-auth-app.mjs";

/** Lifetimes of access tokens in seconds: of the first, which the user outstays, and of the others. */
const [SHORT, LONG] = [20, 300];

export const rows = Object.entries(versions).map(([major, app]) => ({
  name: `NextAuth ${major}, sign-in, expiry and sign-out`,
  run: (row) => signInAndOut(row, app),
}));

async function signInAndOut(row, app) {
  let lifetime = SHORT;
  const server = await startAuthorizationServer(strict, { accessTokenLifetime: () => lifetime });
  row.after(() => server.close());
  const { url: address, cwd, get, host } = await started(row, app, server);
  // So Next.js calls this machine, whatever it was asked by.
  const url = address.replace("127.0.0.1", "localhost");
  const { page, host: browser } = await browse(row);
  const cookie = async () => (await page.context().cookies()).find(({ name }) => name === app.cookie)?.value;

  await signIn(page, url);
  lifetime = LONG;
  const { accessToken, refreshToken, expiresAt, name, email, picture, sub, iat, exp, jti, ...more } = await app.unseal(cwd, await cookie());
  assert.deepEqual(more, {}, "nothing else is in the cookie");
  const session = await server.sessionOf(accessToken);
  assert.equal(await server.isAlive(refreshToken), true);
  assert.deepEqual([...new Set(await shown(page))], [accessToken]);

  await sleep(expiresAt - Date.now());
  await page.reload();
  const after = await shown(page);
  assert.equal(new Set(after).size, 1);
  assert.notEqual(after[0], accessToken);
  assert.equal(await server.isActive(after[0]), true);
  const counts = { granted: 2, refused: 0, rotations: 1, reuses: 0, revocations: 0 };
  assert.deepEqual(server.oracle.counts(session), { ...counts, signOuts: 0 });

  const last = await cookie();
  await page.goto(new URL("api/auth/signout", url).href);
  await press(page, "Sign out");
  await page.waitForURL(({ pathname }) => !pathname.endsWith("/signout"));
  assert.equal(await cookie(), undefined);
  assert.equal(await server.hasSession(session), false);
  const [{ error }] = await told(get, "api/auth/session", `${app.cookie}=${last}`);
  assert.deepEqual(error, { code: "revoked" }, "a request that was still on its way");
  assert.deepEqual(server.oracle.counts(session), { ...counts, signOuts: 1 });
  return { host: `${host}, ${browser}`, did: "signed in through the server's pages, 1 rotation, signed out on both sides" };
}

/** Through the pages of next-auth and of the server, and back. */
async function signIn(page, url) {
  await page.goto(new URL("api/auth/signin?callbackUrl=%2F", url).href);
  for (const button of ["Sign in with Issuer", "login", "consent"]) await press(page, button);
  await up(page);
}

/** The page of a user who is signed in has come up. */
const up = (page) => page.waitForFunction(() => "host" in globalThis);

const press = (page, name) => page.getByRole("button", { name }).click();

/** The access tokens that the parts of the page have. */
async function shown(page) {
  await up(page);
  const parts = await Promise.all(["layout", "page"].map((id) => page.getAttribute(`#${id}`, "data-session")));
  return [...parts.map((part) => JSON.parse(part).accessToken), await page.evaluate(() => host.session.accessToken)];
}
