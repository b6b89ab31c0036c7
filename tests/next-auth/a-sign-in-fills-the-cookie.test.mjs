// At sign-in the callback gets the provider's tokens, in the spelling of either version; and cookies that were filled by another
// callback are taken over, so that nobody is signed out by the change.

import assert from "node:assert/strict";
import test from "node:test";

import { freshJwt, jwtCallback } from "refresh-coordinator/next-auth";

import { LIFETIME, assertGood, rotations, scene, times } from "./scene.mjs";
import { WebApp, cookiesWith, tokenIn } from "./web-app.mjs";

const USER = { name: "Ada", email: "ada@example", picture: null, sub: "1" };
const nothingToRenew = { renew: async () => assert.fail("nothing is renewed at sign-in") };
const ACCOUNT = { provider: "issuer", type: "oidc", providerAccountId: "1", token_type: "bearer", scope: "openid", id_token: "I" };

/** The token after a sign-in with that account. */
const signIn = (account, options, token = USER) =>
  freshJwt(nothingToRenew, { token, account: { ...ACCOUNT, ...account }, trigger: "signIn" }, options);

test("the tokens of a sign-in are kept, with the end of the access token in milliseconds", async () => {
  const tokens = { access_token: "A0", refresh_token: "R0" };
  const kept = { ...USER, accessToken: "A0", refreshToken: "R0" };
  const end = 1_900_000_000;
  for (const expires_at of [end, String(end), end * 1000]) {
    assert.deepEqual(await signIn({ ...tokens, expires_at }), { ...kept, expiresAt: end * 1000 });
  }
  assert.deepEqual(await signIn(tokens), kept, "nobody says when it ends");
  const before = Date.now();
  const { expiresAt } = await signIn({ ...tokens, expires_in: "300" });
  assert.ok(expiresAt >= before + LIFETIME && expiresAt <= Date.now() + LIFETIME);
});

test("a sign-in over an older session leaves nothing of it", async () => {
  const older = { ...USER, accessToken: "A", refreshToken: "R", expiresAt: 1, error: { code: "revoked" } };
  assert.deepEqual(await signIn({ access_token: "A0" }, undefined, older), { ...USER, accessToken: "A0" });
});

test("a sign-in without an access token, as with a password, leaves the token alone, and so do later calls", async () => {
  assert.deepEqual(await signIn({ type: "credentials" }), USER);
  assert.deepEqual(await freshJwt(nothingToRenew, { token: USER }), USER);
});

test("with several providers, each coordinator takes care of its own sessions", async (t) => {
  const { auth, server, tokens, wait, counts } = await scene(t);
  const jwt = jwtCallback(auth, jwtCallback(nothingToRenew, { provider: "other" }), { provider: "issuer" });
  const account = { ...ACCOUNT, ...tokens };
  const [ours, theirs] = [await jwt({ token: USER, account }), await jwt({ token: USER, account: { ...account, provider: "other" } })];
  assert.deepEqual([ours.provider, theirs.provider], ["issuer", "other"]);
  assert.equal(theirs.accessToken, tokens.access_token);
  wait(LIFETIME);
  const later = await jwt({ token: ours });
  assert.equal(await server.isActive(later.accessToken), true);
  assert.deepEqual(counts(), rotations(1));
  assert.deepEqual(await freshJwt(nothingToRenew, { token: ours }, { provider: "other" }), ours, "left alone");
  assert.deepEqual(await jwtCallback(auth, { provider: "issuer" })({ token: theirs }), theirs, "left alone");
});

test("cookies that the guides' callbacks have filled are taken over, with an error that stood in them", async (t) => {
  const { server, app, held, wait, counts } = await scene(t);
  const cookies = await cookiesWith({
    ...USER,
    access_token: held.accessToken,
    refresh_token: held.refreshToken,
    expires_at: Math.floor(held.expiresAt / 1000),
    error: "RefreshTokenError",
  });
  wait(LIFETIME);
  const responses = await times(20, () => app.request(cookies));
  await assertGood(server, responses);
  assert.deepEqual(counts(), rotations(1));
  const { accessToken, refreshToken, expiresAt, iat, exp, jti, ...rest } = await tokenIn(responses[0].cookies);
  assert.deepEqual(rest, USER);
});

test("the app's own half gets the token set that replaced the cookie's, with its id token; also the one that came late", async (t) => {
  const seen = [];
  const next = ({ token, refreshed, trigger }) => {
    seen.push({ refreshed, trigger });
    return refreshed ? { ...token, scope: refreshed.scope } : token;
  };
  const { auth, cookies, wait } = await scene(t);
  const app = new WebApp(jwtCallback(auth, next));
  await app.request(cookies);
  assert.equal(seen[0].refreshed, undefined, "what is in the cookie stands");
  wait(LIFETIME);
  const first = await app.request(cookies);
  await app.request(cookies);
  assert.deepEqual(seen[2].refreshed, seen[1].refreshed);
  assert.equal(typeof seen[1].refreshed.idToken, "string");
  assert.equal((await tokenIn(first.cookies)).scope, "openid offline_access");
});
