// No token, in whole or in part, in an error, an event, a snapshot, a statistic, a lock name, a message or a key.

import assert from "node:assert/strict";
import test from "node:test";

import { RefreshCoordinator } from "refresh-coordinator";

import * as faults from "../authorization-server/faults.mjs";
import { CLIENT_SECRET, CONFIDENTIAL_CLIENT } from "../authorization-server/provider.mjs";
import { reply, startScriptedServer } from "../authorization-server/scripted.mjs";
import { Clock } from "./clock.mjs";
import { rejection } from "./errors.mjs";
import { LIFETIME, authorizationServer, coordinator, scene } from "./scene.mjs";
import { assertNoSecrets } from "./secrets.mjs";
import { TestStore } from "./store.mjs";

/** Listens to all that a coordinator tells. */
function overhear(auth) {
  const told = [];
  auth.subscribe((...args) => told.push(args, auth.getSnapshot()));
  return told;
}

test("MM-103 N-19: a whole life: expiry, failure, refusal, sign-out; nothing told holds a token", async (t) => {
  const server = await authorizationServer(t);
  const clock = new Clock();
  const store = new TestStore(clock);
  const names = [];
  const messages = [];
  const locks = { request: (name, _options, callback) => (names.push(name), callback({ name })) };
  const channel = { postMessage: (message) => messages.push(message), addEventListener() {}, removeEventListener() {} };
  const auth = coordinator(t, server, {
    clock, store, locks, channel, retries: 0, session: "ada@example.com", revocationEndpoint: server.revocationEndpoint,
  });
  const told = overhear(auth);
  const first = await server.signIn();
  await auth.setTokens(first.tokens);
  clock.advance(LIFETIME);
  await auth.getTokens();
  for (const fault of [faults.unavailable(), faults.dropBefore(), faults.oauthError("invalid_client"), faults.oauthError("interaction_required")]) {
    clock.advance(LIFETIME + 60_000);
    server.next(1, fault);
    told.push(await rejection(auth.getTokens()));
  }
  clock.advance(60_000);
  server.next(1, faults.oauthError("invalid_grant"));
  told.push(await rejection(auth.getTokens()));
  await auth.setTokens((await server.signIn()).tokens);
  await auth.signOut();
  told.push(await rejection(auth.getTokens()), auth.stats(), auth.getSnapshot(), auth);
  await new Promise(setImmediate);

  assert.ok(told.length > 8 && messages.length > 0 && names.length > 0);
  const keys = store.calls.map(([, key]) => key);
  const secrets = [...server.oracle.issued, "ada@example.com"];
  assertNoSecrets([told, messages, names, keys], secrets);
  for (const one of told) assertNoSecrets(one, secrets);
});

test("N-19: a server that repeats the token in its error, or in a page of HTML", async (t) => {
  const secrets = ["A0vD8qZkYw31LbTn7sXcJ5RmGf2HpUe9", "R0tK4yPxQh62WcMz8vNbS1LdJg5FaUr7"];
  const [accessToken, refreshToken] = secrets;
  const bodies = [
    reply(JSON.stringify({ error: "server_error", error_description: `token ${refreshToken} is not known` }), { status: 500 }),
    reply(JSON.stringify({ error: "invalid_grant", error_description: `${refreshToken.slice(3, 30)} was used` }), { status: 400 }),
    reply(JSON.stringify({ error: refreshToken, error_uri: `https://help.invalid/?t=${refreshToken}` }), { status: 400 }),
    reply(`<html><pre>grant_type=refresh_token&amp;refresh_token=${refreshToken}</pre>`, { status: 502, type: "text/html" }),
    reply(JSON.stringify({ access_token: `${accessToken}`.split(""), refresh_token: refreshToken })),
    reply(`{"access_token":"${accessToken}","refresh_token":"${refreshToken}`),
    reply("", { status: 302, headers: { Location: `https://elsewhere.invalid/?refresh_token=${refreshToken}` } }),
    reply(JSON.stringify({ error: "invalid_client", error_description: encodeURIComponent(`${refreshToken}/+=`) }), { status: 401 }),
  ];
  for (const body of bodies) {
    const server = await startScriptedServer(body);
    t.after(() => server.close());
    const clock = new Clock();
    const auth = coordinator(t, server, { clock, retries: 0 });
    const told = overhear(auth);
    await auth.setTokens({ accessToken, refreshToken, expiresIn: 300 });
    clock.advance(LIFETIME);
    const error = await rejection(auth.getAccessToken());
    await new Promise(setImmediate);
    assertNoSecrets(error, secrets);
    assertNoSecrets(told, secrets);
    assertNoSecrets(auth.getSnapshot(), secrets);
  }
});

test("a callback that throws the token back", async (t) => {
  const secrets = ["A0vD8qZkYw31LbTn7sXcJ5RmGf2HpUe9", "R0tK4yPxQh62WcMz8vNbS1LdJg5FaUr7"];
  const [accessToken, refreshToken] = secrets;
  const throwing = [
    () => {
      throw new Error(`could not refresh ${refreshToken}`);
    },
    () => {
      throw Object.assign(new Error("failed"), { request: { body: `refresh_token=${refreshToken}` }, config: { data: refreshToken } });
    },
    () => {
      throw new Error("failed", { cause: new Error(`inner ${refreshToken}`, { cause: refreshToken }) });
    },
    () => Promise.reject(`refresh of ${refreshToken} failed`),
    () => Promise.reject({ status: 400, error: "invalid_grant", error_description: refreshToken }),
    () => ({ accessToken: 5, refreshToken }),
  ];
  for (const refresh of throwing) {
    const clock = new Clock();
    const auth = new RefreshCoordinator({ clock, refresh, retries: 0 });
    t.after(() => auth.close());
    const told = overhear(auth);
    await auth.setTokens({ accessToken, refreshToken, expiresIn: 300 });
    clock.advance(LIFETIME);
    assertNoSecrets(await rejection(auth.getAccessToken()), secrets);
    await new Promise(setImmediate);
    assertNoSecrets(told, secrets);
  }
});

test("a store that throws what it was given", async (t) => {
  const { server, clock } = await scene(t);
  const store = new TestStore(clock);
  const auth = coordinator(t, server, { clock, store, retries: 0 });
  const { tokens } = await server.signIn();
  await auth.setTokens(tokens);
  clock.advance(LIFETIME);
  clock.skips = 2_000;
  store.instead.write = (_honestly, _key, value) => {
    throw new Error(`duplicate entry ${value}`);
  };
  const error = await rejection(auth.getAccessToken());
  assertNoSecrets(error, server.oracle.issued);
});

test("the client's secret stays out of errors", async (t) => {
  const server = await authorizationServer(t);
  const clock = new Clock();
  const clientSecret = "Wz7Qk3Yv9Xn1Lp5Tb8Rd2Mc6Hf4Js0Ga";
  const auth = coordinator(t, server, { clock, clientId: CONFIDENTIAL_CLIENT, clientSecret, retries: 0 });
  await auth.setTokens((await server.signIn({ clientId: CONFIDENTIAL_CLIENT })).tokens);
  clock.advance(LIFETIME);
  const error = await rejection(auth.getAccessToken());
  assert.equal(error.name, "ConfigurationError");
  assertNoSecrets(error, [clientSecret, CLIENT_SECRET, btoa(`${CONFIDENTIAL_CLIENT}:${clientSecret}`)]);
});

test("in successor mode a copy of the store opens nothing", async (t) => {
  const server = await authorizationServer(t);
  const clock = new Clock();
  const store = new TestStore(clock);
  const auth = coordinator(t, server, { clock, store });
  const { tokens } = await server.signIn();
  await auth.renew({ refreshToken: tokens.refresh_token });
  assert.ok(Object.keys(store.contents).length > 0);
  assertNoSecrets(store.contents, server.oracle.issued);
  for (const [, key, value] of store.calls) assertNoSecrets([key, value], server.oracle.issued);
});

test("MM-09 MM-82: with a `sealKey` the session's record opens nothing either, and only with that key", async (t) => {
  const server = await authorizationServer(t);
  const clock = new Clock();
  const store = new TestStore(clock);
  const sealKey = "a seal key that is long enough";
  const auth = coordinator(t, server, { clock, store, sealKey });
  await auth.setTokens((await server.signIn()).tokens);
  clock.advance(LIFETIME);
  const token = await auth.getAccessToken();
  assertNoSecrets(store.contents, [...server.oracle.issued, sealKey]);
  assert.equal(await coordinator(t, server, { clock, store, sealKey }).getAccessToken(), token);
  const stranger = coordinator(t, server, { clock, store, sealKey: "another key, just as long" });
  for (const other of [stranger, coordinator(t, server, { clock, store })]) {
    const error = await rejection(other.getAccessToken());
    assert.deepEqual([error.name, error.code], ["StoreError", "store-sealed"]);
  }
  assert.equal(await auth.getAccessToken(), token, "left as it was");
});

test("a `sealKey` that was changed: whoever signs in replaces what no longer opens", async (t) => {
  const server = await authorizationServer(t);
  const clock = new Clock();
  const store = new TestStore(clock);
  const before = coordinator(t, server, { clock, store, sealKey: "a seal key that is long enough" });
  await before.setTokens((await server.signIn()).tokens);
  const after = coordinator(t, server, { clock, store, sealKey: "another key, just as long" });
  const { tokens } = await server.signIn();
  await after.setTokens(tokens);
  assert.equal(await after.getAccessToken(), tokens.access_token);
  clock.advance(LIFETIME);
  assert.equal((await rejection(before.getAccessToken())).code, "store-sealed");
});
