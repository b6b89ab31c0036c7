// Same member, same demand, no signal: the same promise object. And no shared promise becomes an unhandled rejection.

import assert from "node:assert/strict";
import test from "node:test";
import { inspect } from "node:util";

import * as faults from "../authorization-server/faults.mjs";
import { rejection } from "./errors.mjs";
import { scene } from "./scene.mjs";

const members = {
  getTokens: (auth) => auth.getTokens(),
  getAccessToken: (auth) => auth.getAccessToken(),
  "refresh()": (auth) => auth.refresh(),
  "refresh({ rejected })": (auth, { before }) => auth.refresh({ rejected: before.accessToken }),
  "refresh({ mintedAfterNow })": (auth) => auth.refresh({ mintedAfterNow: true }),
  renew: (auth, { tokens }) => auth.renew({ refreshToken: tokens.refresh_token }),
  "getTokens with parameters": (auth) => auth.getTokens({ params: { scope: "openid" } }),
  "getAccessToken with parameters": (auth) => auth.getAccessToken({ params: { scope: "openid" } }),
};

for (const [name, call] of Object.entries(members)) {
  test(`CL-22 N-21: ${name}: the same object`, async (t) => {
    const all = await scene(t);
    all.expire();
    assert.equal(call(all.auth, all), call(all.auth, all));
    await call(all.auth, all);
    assert.equal(all.server.oracle.presentations, 1);
  });

  test(`${name}: nobody looks at the refusal, and nothing is unhandled`, async (t) => {
    const all = await scene(t, { retries: 0 });
    const { server, auth, expire } = all;
    const unhandled = [];
    const listener = (reason) => unhandled.push(reason);
    process.on("unhandledRejection", listener);
    t.after(() => process.off("unhandledRejection", listener));
    expire();
    server.next(1, faults.unavailable());
    const unheeded = call(auth, all);
    while (inspect(unheeded).includes("<pending>")) await new Promise(setImmediate);
    assert.match(inspect(unheeded), /<rejected>/);
    await new Promise(setImmediate);
    assert.deepEqual(unhandled, []);
  });
}

test("members are no async functions, and may be passed around", async (t) => {
  const { auth, expire } = await scene(t);
  const { getAccessToken, getTokens, refresh, renew, run, fetch, subscribe, getSnapshot, stats, signOut, setTokens, close, drainRevocations } = auth;
  expire();
  assert.equal(getAccessToken(), auth.getAccessToken());
  assert.equal(await getAccessToken(), (await getTokens()).accessToken);
  assert.notEqual((await refresh()).accessToken, undefined);
  assert.equal(await run(() => 5), 5);
  assert.equal(getSnapshot(), auth.getSnapshot());
  assert.equal(typeof subscribe(() => {}), "function");
  assert.equal(typeof stats(), "object");
  assert.equal(typeof fetch, "function");
  assert.equal(typeof renew, "function");
  assert.deepEqual(await drainRevocations(), { revoked: 0, left: 0 });
  assert.equal(typeof setTokens, "function");
  await signOut();
  close();
});

test("different demands are different flights, and still one presentation at a time", async (t) => {
  const { server, auth, expire, counts } = await scene(t);
  expire();
  const [plain, newer] = [auth.getTokens(), auth.refresh()];
  assert.notEqual(plain, newer);
  assert.deepEqual(await plain, await newer, "both are met by one exchange");
  assert.equal(server.oracle.presentations, 1);
  assert.equal(counts().reuses, 0);
});

test("a fresh token is served from memory: no store, no lock, no request", async (t) => {
  const { server, auth, before } = await scene(t);
  assert.equal(auth.getAccessToken(), auth.getAccessToken());
  assert.equal(await auth.getAccessToken(), before.accessToken);
  assert.equal(auth.getTokens(), auth.getTokens());
  assert.equal(server.oracle.presentations, 0);
});

test("token sets are frozen", async (t) => {
  const { auth, expire } = await scene(t);
  expire();
  const tokens = await auth.getTokens();
  assert.ok(Object.isFrozen(tokens));
  assert.deepEqual(Object.keys(tokens).sort(), ["accessToken", "expiresAt", "extra", "idToken", "refreshToken", "scope", "tokenType"]);
  assert.throws(() => {
    "use strict";
    tokens.accessToken = "mine";
  }, TypeError);
});

test("MM-12: all callers of one flight get the identical error", async (t) => {
  const { server, auth, expire } = await scene(t, { retries: 0 });
  expire();
  server.next(1, faults.oauthError("invalid_client"));
  const errors = await Promise.all([auth.getAccessToken(), auth.getAccessToken(), auth.getAccessToken()].map(rejection));
  assert.equal(new Set(errors).size, 1);
});
