// The beginning of a test: a real authorization server, a session of it in the cookie of a browser, and a time that only the
// test moves on.

import assert from "node:assert/strict";
import { mock } from "node:test";

import { RefreshCoordinator } from "refresh-coordinator";
import { jwtCallback } from "refresh-coordinator/next-auth";

import { PUBLIC_CLIENT, startAuthorizationServer } from "../authorization-server/provider.mjs";
import { WebApp, cookiesWith, tokenIn } from "./web-app.mjs";

/** Life of an access token, in milliseconds. */
export const LIFETIME = 300_000;

/** Time, for everybody in this process: it stands still. Returns how to move it on. */
export function stoppedTime(t) {
  mock.timers.enable({ apis: ["Date"], now: Date.now() });
  t.after(() => mock.timers.reset());
  return (ms) => mock.timers.setTime(Date.now() + ms);
}

/**
 * A server that ends with the test, a session, and a coordinator. The access token is fresh; `wait(LIFETIME)` lets it end.
 * `byHand` makes a callback that does without a coordinator.
 */
export async function scene(t, { personality, callback = jwtCallback, byHand, ...options } = {}) {
  const wait = stoppedTime(t);
  const server = await startAuthorizationServer(personality, { accessTokenLifetime: LIFETIME / 1000 });
  t.after(() => server.close());
  const { tokens, session } = await server.signIn();
  const { tokenEndpoint, revocationEndpoint } = server;
  const client = { clientId: PUBLIC_CLIENT, tokenEndpoint, revocationEndpoint };
  const auth = new RefreshCoordinator({ ...client, retries: 0, ...options });
  t.after(() => auth.close());
  const app = new WebApp(byHand ? byHand(client) : callback(auth));
  const held = { name: "Ada", accessToken: tokens.access_token, refreshToken: tokens.refresh_token, expiresAt: Date.now() + LIFETIME };
  const counts = () => server.oracle.counts(session);
  return { server, client, auth, app, wait, tokens, session, held, counts, cookies: await cookiesWith(held) };
}

/** Is a response such that the user notices nothing, now and at the next request? */
export async function isGood(server, { session, cookies }) {
  const token = await tokenIn(cookies);
  if (!session?.accessToken || session.error !== undefined || token === undefined) return false;
  return (await server.isActive(session.accessToken)) && (await server.isAlive(token.refreshToken));
}

/** How many of them are good. */
export async function goodOnes(server, responses) {
  return (await Promise.all(responses.map((response) => isGood(server, response)))).filter(Boolean).length;
}

/** Every one is good, and all of them have the same tokens. */
export async function assertGood(server, responses) {
  for (const response of responses) assert.equal(await isGood(server, response), true, JSON.stringify(response.session));
  assert.equal(new Set(responses.map(({ session }) => session.accessToken)).size, 1);
}

/** What the server saw of a session that was rotated so often, and of nothing bad. */
export const rotations = (count) => ({ granted: count, refused: 0, rotations: count, reuses: 0, revocations: 0, signOuts: 0 });

export const times = (count, call) => Promise.all(Array.from({ length: count }, call));
