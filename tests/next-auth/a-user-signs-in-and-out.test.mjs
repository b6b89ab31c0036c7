// A sign-in as users know it: to the server, through its pages, and back to the app with a code. The callback gets what the server
// answered, the session outlives its access token, and a sign-out ends it on both sides.

import assert from "node:assert/strict";
import test from "node:test";

import { jwtCallback } from "refresh-coordinator/next-auth";

import { CLIENT_SECRET, CONFIDENTIAL_CLIENT } from "../authorization-server/provider.mjs";
import { LIFETIME, assertGood, scene, times } from "./scene.mjs";
import { WebApp, tokenIn } from "./web-app.mjs";

const client = { clientId: CONFIDENTIAL_CLIENT, clientSecret: CLIENT_SECRET };

/** An app that users sign in to, and what its cookie holds after one has. */
async function signedIn(t) {
  const { server, auth, wait } = await scene(t, client);
  const issuer = {
    id: "issuer",
    type: "oidc",
    issuer: server.issuer,
    ...client,
    authorization: { params: { scope: "openid offline_access", prompt: "consent" } },
  };
  const app = new WebApp(jwtCallback(auth), { issuer, signOut: ({ token }) => auth.signOut(token) });
  const cookies = await app.signIn();
  assert.deepEqual(app.errors, []);
  const token = await tokenIn(cookies);
  const session = await server.sessionOf(token.accessToken);
  return { server, app, wait, cookies, token, session, counts: () => server.oracle.counts(session) };
}

test("the cookie has the tokens of the server's answer, and serves until the access token ends", async (t) => {
  const { server, app, cookies, token } = await signedIn(t);
  const { accessToken, refreshToken, expiresAt, name, email, picture, sub, iat, exp, jti, ...more } = token;
  assert.deepEqual(more, {}, "and nothing else");
  assert.ok(expiresAt > Date.now() + LIFETIME - 1_000 && expiresAt <= Date.now() + LIFETIME, "in milliseconds");
  assert.equal(await server.isAlive(refreshToken), true);
  const asked = server.oracle.presentations;
  const response = await app.request(cookies);
  assert.equal(response.session.accessToken, accessToken);
  assert.equal(server.oracle.presentations, asked);
});

test("then it goes on: 50 requests with the cookie of the sign-in, one rotation", async (t) => {
  const { server, app, cookies, wait, counts } = await signedIn(t);
  wait(LIFETIME);
  await assertGood(server, await times(50, () => app.request(cookies)));
  // The first is that of the code.
  assert.deepEqual(counts(), { granted: 2, refused: 0, rotations: 1, reuses: 0, revocations: 0, signOuts: 0 });
});

for (const [which, said] of [["before", "that is one rotation old"], ["after", "that is the newest"]]) {
  test(`a sign-out with a cookie ${said} ends it at the server; then no cookie brings it back`, async (t) => {
    const { server, app, cookies: before, wait, session, counts } = await signedIn(t);
    wait(LIFETIME);
    const response = await app.request(before);
    await assertGood(server, [response]);
    const all = { before, after: response.cookies };
    const asked = server.oracle.presentations;

    const left = await app.signOut(all[which]);
    assert.equal(await tokenIn(left), undefined, "the cookie is gone");
    assert.equal(await server.hasSession(session), false);
    assert.equal(counts().signOuts, 1);
    assert.deepEqual((await app.request(all[which])).session.error, { code: "revoked" });
    assert.deepEqual((await app.request(all.after)).session.error, { code: "revoked" });
    // What an older cookie leads to is looked into once the access token has ended that replaced its own.
    wait(LIFETIME);
    for (const cookies of Object.values(all)) assert.deepEqual((await app.request(cookies)).session.error, { code: "revoked" });
    assert.equal(server.oracle.presentations, asked);
    assert.equal(counts().reuses, 0);
    assert.deepEqual(app.errors, []);
  });
}
