// What goes wrong is told in the session by a small code, only once the access token is of no use any more, and never costs the
// cookie: throwing or returning null would.

import assert from "node:assert/strict";
import test from "node:test";

import { ConfigurationError, TransientError } from "refresh-coordinator";
import { freshJwt, jwtCallback } from "refresh-coordinator/next-auth";

import { oauthError, tooManyRequests, unavailable } from "../authorization-server/faults.mjs";
import { header } from "../authorization-server/user-agent.mjs";
import { rejects } from "../node/errors.mjs";
import { LIFETIME, assertGood, scene } from "./scene.mjs";
import { cookiesWith, tokenIn } from "./web-app.mjs";

/** Less life left than this, and a refresh is due although the access token is good. */
const WINDOW = 10_000;

for (const fault of [unavailable(), oauthError("invalid_client", 401), oauthError("invalid_grant")]) {
  test("while the access token is valid a failed refresh is no error", async (t) => {
    const { server, app, cookies, wait, held } = await scene(t);
    wait(LIFETIME - WINDOW + 1);
    server.next(Infinity, fault);
    for (let request = 0; request < 3; request += 1) {
      const response = await app.request(cookies);
      assert.equal(response.session.accessToken, held.accessToken);
      assert.equal("error" in response.session, false);
      assert.equal((await tokenIn(response.cookies)).refreshToken, held.refreshToken);
    }
    assert.ok(server.oracle.presentations > 0, "a refresh was tried");
  });
}

test("an outage after the access token has ended: transient, with the moment of the next try, until it is over", async (t) => {
  const { server, app, cookies, wait, held, counts } = await scene(t);
  wait(LIFETIME);
  server.next(Infinity, unavailable());
  const failed = await app.request(cookies);
  const { code, retryAt, ...more } = failed.session.error;
  assert.deepEqual([code, more], ["transient", {}]);
  assert.ok(retryAt > Date.now() && retryAt <= Date.now() + 60_000);
  assert.equal((await tokenIn(failed.cookies)).refreshToken, held.refreshToken, "nothing is thrown away");

  const asked = server.oracle.presentations;
  await app.request(failed.cookies);
  assert.equal(server.oracle.presentations, asked, "nobody tries before that moment");

  server.heal();
  wait(retryAt - Date.now());
  const healed = await app.request(failed.cookies);
  await assertGood(server, [healed]);
  assert.equal("error" in (await tokenIn(healed.cookies)), false, "the error has gone from the cookie as well");
  assert.equal(counts().rotations, 1);
});

test("the server says when: that moment is told", async (t) => {
  const { server, app, cookies, wait } = await scene(t);
  wait(LIFETIME);
  server.next(1, tooManyRequests(40));
  const { error } = (await app.request(cookies)).session;
  assert.equal(error.code, "transient");
  assert.ok(Math.abs(error.retryAt - (Date.now() + 40_000)) <= 4_000, `in ${error.retryAt - Date.now()} ms`);
});

for (const [fault, code] of [
  [oauthError("invalid_client", 401), "configuration"],
  [oauthError("interaction_required"), "interaction-required"],
]) {
  test(`a refusal becomes ${code}, and what is mended heals the session`, async (t) => {
    const { server, app, cookies, wait } = await scene(t);
    wait(LIFETIME);
    server.next(1, fault);
    const failed = await app.request(cookies);
    assert.deepEqual(failed.session.error, { code });
    assert.equal(app.errors.length, 0);
  });
}

test("a session that the server has ended is revoked: for one request to it, however many come", async (t) => {
  const { server, app, cookies, wait, session, held } = await scene(t);
  await server.endSession(session);
  wait(LIFETIME);
  let response = { cookies };
  for (let request = 0; request < 3; request += 1) {
    response = await app.request(response.cookies);
    assert.deepEqual(response.session.error, { code: "revoked" });
    assert.equal((await tokenIn(response.cookies)).refreshToken, held.refreshToken);
  }
  assert.equal(server.oracle.presentations, 1);
});

test("a sign-out is final for the cookies that are still around, also while their access token is valid", async (t) => {
  const { server, auth, app, cookies } = await scene(t);
  await assertGood(server, [await app.request(cookies)]);
  // As in the event `signOut` of next-auth.
  await auth.signOut(await tokenIn(cookies));
  assert.deepEqual((await app.request(cookies)).session.error, { code: "revoked" });
  assert.equal(server.oracle.presentations, 0);
});

test("a session without a refresh token serves until its access token ends, and then says what is missing", async (t) => {
  const { app, held, wait, server } = await scene(t);
  const { refreshToken: _, ...only } = held;
  const cookies = await cookiesWith(only);
  const living = await app.request(cookies);
  assert.equal(living.session.accessToken, held.accessToken);
  assert.equal("error" in living.session, false);
  wait(LIFETIME);
  assert.deepEqual((await app.request(cookies)).session.error, { code: "no-refresh-token" });

  const { expiresAt: _end, ...endless } = only;
  const unknown = await app.request(await cookiesWith(endless));
  assert.equal("error" in unknown.session, false, "nobody knows that it has ended");
  assert.equal(server.oracle.presentations, 0);
});

test("a store that is away is no error while the access token is valid, and transient afterwards", async (t) => {
  const away = () => Promise.reject(new Error("the store is away"));
  const { app, cookies, wait, held } = await scene(t, { store: { read: away, write: away } });
  const served = await app.request(cookies);
  assert.deepEqual([served.session.accessToken, served.session.error], [held.accessToken, undefined]);
  wait(LIFETIME);
  const { error } = (await app.request(cookies)).session;
  assert.equal(error.code, "transient");
  assert.ok(error.retryAt > Date.now());
});

test("an error from a time when the access token seemed to have ended goes as well, but not that the session is over", async (t) => {
  const away = () => Promise.reject(new Error("the store is away"));
  const { app, held } = await scene(t, { store: { read: away, write: away } });
  const passing = [{ code: "transient", retryAt: 1 }, { code: "configuration" }, "RefreshTokenError", "RefreshAccessTokenError"];
  for (const error of passing) {
    const { session, cookies } = await app.request(await cookiesWith({ ...held, error }));
    assert.equal("error" in session, false, JSON.stringify(error));
    assert.equal("error" in (await tokenIn(cookies)), false);
  }
  for (const error of [{ code: "revoked" }, { code: "interaction-required" }, { code: "payment-due" }, "mine"]) {
    assert.deepEqual((await app.request(await cookiesWith({ ...held, error }))).session.error, error);
  }
});

test("whatever a coordinator rejects with, and whatever the cookie holds, the callback returns a token", async (t) => {
  const { held, wait } = await scene(t);
  wait(LIFETIME);
  const rejections = [new Error("?"), undefined, null, "no", new TransientError("t"), new ConfigurationError("c", { code: "closed" })];
  for (const rejection of rejections) {
    const token = await freshJwt({ renew: () => Promise.reject(rejection) }, { token: held });
    assert.deepEqual({ ...token, error: undefined }, { ...held, error: undefined });
    assert.ok(["transient", "configuration"].includes(token.error.code));
  }
  const throwing = () => {
    throw new Error("at once");
  };
  assert.equal((await freshJwt({ renew: throwing }, { token: held })).error.code, "transient");
  const renew = async () => assert.fail("there is nothing to renew");
  for (const token of [{}, { accessToken: 7, refreshToken: null }, { accessToken: "" }, Object.create(null)]) {
    assert.deepEqual({ ...(await freshJwt({ renew }, { token })) }, { ...token });
  }
});

test("a closed coordinator costs nobody the session", async (t) => {
  const { auth, app, cookies, wait } = await scene(t);
  wait(LIFETIME);
  auth.close();
  const response = await app.request(cookies);
  assert.deepEqual(response.session.error, { code: "configuration" });
  assert.notEqual(await tokenIn(response.cookies), undefined);
});

test("members of the token that are not ours are kept, also an error of the app's own", async (t) => {
  const { server, app, held, wait } = await scene(t);
  wait(LIFETIME);
  const own = { roles: ["a", { b: 1 }], error: { code: "payment-due" }, provider: "x", scope: "s" };
  const { cookies } = await app.request(await cookiesWith({ ...held, ...own }));
  const { accessToken, refreshToken, expiresAt, iat, exp, jti, ...rest } = await tokenIn(cookies);
  assert.deepEqual(rest, { name: "Ada", ...own });
  assert.equal(await server.isAlive(refreshToken), true);
  assert.equal(await server.isActive(accessToken), true);
  assert.equal(expiresAt > Date.now(), true);
});

test("beside the tokens, the cookie has one number; and while there is an error, sixty bytes more", async (t) => {
  const { server, app, cookies, wait } = await scene(t);
  const bytes = async (cookies) => {
    const { name, iat, exp, jti, sub, accessToken, refreshToken, ...ours } = await tokenIn(cookies);
    return JSON.stringify({ accessToken: "", refreshToken: "", ...ours }).length;
  };
  let now = cookies;
  const [sizes, headers] = [[], []];
  for (let round = 0; round < 3; round += 1) {
    wait(LIFETIME);
    ({ cookies: now } = await app.request(now));
    sizes.push(await bytes(now));
    headers.push(header(now).length);
  }
  // {"accessToken":"","refreshToken":"","expiresAt":1234567890123}
  assert.deepEqual(sizes, [62, 62, 62]);
  assert.equal(new Set(headers).size, 1, "what the browser sends does not grow with the session");
  wait(LIFETIME);
  server.next(1, unavailable());
  const failed = await app.request(now);
  assert.ok((await bytes(failed.cookies)) <= 62 + 60, `${await bytes(failed.cookies)} bytes`);
});

test("a programmer's mistakes are named", async () => {
  const renew = async () => ({});
  const wrong = [
    [undefined],
    [{}],
    [{ renew }, "canPersist"],
    [{ renew }, { canPersists: false }],
    [{ renew }, { canPersist: "no" }],
    [{ renew }, { update: "now" }],
    [{ renew }, { onError: "log" }],
    [{ renew }, { provider: 7 }],
  ];
  for (const [auth, options] of wrong) {
    await rejects(freshJwt(auth, { token: {} }, options), "ConfigurationError", { code: "wrong-argument", fault: "caller" });
    assert.throws(() => jwtCallback(auth, options), ConfigurationError);
  }
  for (const params of [undefined, {}, { token: null }]) {
    await rejects(freshJwt({ renew }, params), "ConfigurationError", { code: "wrong-argument" });
    await rejects(jwtCallback({ renew })(params), "ConfigurationError", { code: "wrong-argument" });
  }
});

test("so are those of a function that says what an update means", async (t) => {
  const { auth, held } = await scene(t);
  const update = (data) => data.role.level;
  await assert.rejects(freshJwt(auth, { token: held, trigger: "update", session: null }, { update }), TypeError);
  await rejects(freshJwt(auth, { token: held, trigger: "update" }, { update: () => "now" }), "ConfigurationError", {
    code: "wrong-argument",
  });
  assert.equal((await freshJwt(auth, { token: held }, { update })).accessToken, held.accessToken, "it is asked for updates only");
});

test("the app's log has the error itself, and costs no session when it fails", async (t) => {
  const { server, auth, wait, held } = await scene(t);
  wait(LIFETIME);
  server.next(1, oauthError("invalid_client", 401));
  const heard = [];
  const onError = (error) => {
    heard.push(error);
    throw new Error("the log is full");
  };
  const { error } = await freshJwt(auth, { token: held }, { onError });
  assert.equal(error.code, "configuration");
  assert.equal(heard.length, 1);
  assert.match(heard[0].message, /invalid_client/);
  assert.equal((await freshJwt({ renew: () => Promise.reject(heard[0]) }, { token: held }, { onError: () => Promise.reject(heard[0]) })).error.code, "configuration");
});

test("what the app's own half throws or returns is the app's business", async (t) => {
  const { app, cookies, held } = await scene(t, {
    callback: (auth) => jwtCallback(auth, ({ token }) => ({ ...token, seen: (token.seen ?? 0) + 1 })),
  });
  const { cookies: after } = await app.request(cookies);
  assert.equal((await tokenIn(after)).seen, 1);
  assert.equal((await tokenIn(after)).accessToken, held.accessToken);
  const renew = async (tokens) => tokens;
  await assert.rejects(jwtCallback({ renew }, () => Promise.reject(new Error("mine")))({ token: held }), /mine/);
  assert.equal(await jwtCallback({ renew }, () => null)({ token: held }), null);
});
