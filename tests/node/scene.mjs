// The usual beginning of a test: a real authorization server, a clock that stands still, and a coordinator that is signed in.

import * as library from "refresh-coordinator";

import { PUBLIC_CLIENT, startAuthorizationServer } from "../authorization-server/provider.mjs";
import { Clock } from "./clock.mjs";

/** Life of an access token, in milliseconds. */
export const LIFETIME = 300_000;

/** Starts a server that ends with the test. */
export async function authorizationServer(t, personality) {
  const server = await startAuthorizationServer(personality, { accessTokenLifetime: LIFETIME / 1000 });
  t.after(() => server.close());
  return server;
}

/** Makes a coordinator that is closed with the test. `from` is another copy of the package. */
export function coordinator(t, server, { from = library, ...options } = {}) {
  const auth = new from.RefreshCoordinator({
    clientId: PUBLIC_CLIENT,
    tokenEndpoint: server.tokenEndpoint,
    ...options,
  });
  t.after(() => auth.close());
  return auth;
}

/** All three. `expire()` lets the access token run out; `before` is the token set the session began with. */
export async function scene(t, { personality, clock = new Clock(), ...options } = {}) {
  const server = await authorizationServer(t, personality);
  const { tokens, session } = await server.signIn();
  const auth = coordinator(t, server, { clock, ...options });
  const before = await auth.setTokens(tokens);
  const expire = () => clock.advance(LIFETIME);
  const counts = () => server.oracle.counts(session);
  return { server, clock, auth, tokens, session, before, expire, counts };
}

/** So many calls made in one go. */
export const times = (count, call) => Array.from({ length: count }, call);
