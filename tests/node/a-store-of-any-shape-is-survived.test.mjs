// A store that returns garbage, throws, hangs or comes from the future: typed errors, credentials kept, nothing hangs.

import assert from "node:assert/strict";
import test from "node:test";

import { StoreError, TransientError } from "refresh-coordinator";

import { failing, honest, silent } from "./callbacks-of-any-shape.mjs";
import { Clock } from "./clock.mjs";
import { rejection, rejects } from "./errors.mjs";
import { LIFETIME, authorizationServer, coordinator } from "./scene.mjs";
import { TestStore } from "./store.mjs";

const STORE_TIMEOUT = 3_210;

async function withStore(t, options = {}) {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const store = new TestStore(clock);
  const { tokens, session } = await server.signIn();
  const auth = coordinator(t, server, { clock, store, retries: 0, storeTimeout: STORE_TIMEOUT, ...options });
  await auth.setTokens(tokens);
  const newcomer = () => coordinator(t, server, { clock, store, retries: 0, storeTimeout: STORE_TIMEOUT, ...options });
  return { server, clock, store, auth, tokens, session, newcomer };
}

for (const [name, wrap] of Object.entries(honest)) {
  test(`a store whose methods return ${name}`, async (t) => {
    const { server, clock, store, auth } = await withStore(t);
    store.instead.read = (honestly) => wrap(honestly());
    store.instead.write = (honestly) => wrap(honestly());
    clock.advance(LIFETIME);
    assert.equal(await server.isActive(await auth.getAccessToken()), true);
    assert.equal(server.oracle.presentations, 1);
  });
}

for (const [name, fail] of Object.entries(failing)) {
  test(`read ${name}`, async (t) => {
    const { server, store, newcomer } = await withStore(t);
    store.instead.read = fail;
    const auth = newcomer();
    await rejects(auth.getAccessToken(), "StoreError", { fault: "store", spent: "no" });
    assert.equal(server.oracle.presentations, 0, "without a claim, no presentation");
    delete store.instead.read;
    assert.equal(await server.isActive(await auth.getAccessToken()), true);
  });

  test(`write ${name}, so that no claim can be made`, async (t) => {
    const { server, clock, store, auth } = await withStore(t);
    clock.skips = 2_000;
    store.instead.write = fail;
    clock.advance(LIFETIME);
    const error = await rejection(auth.getAccessToken());
    assert.ok(error instanceof StoreError || error instanceof TransientError, String(error));
    assert.equal(error.spent, "no");
    assert.equal(server.oracle.presentations, 0);
    delete store.instead.write;
    clock.advance(60_000);
    assert.equal(await server.isActive(await auth.getAccessToken()), true);
  });
}

for (const [name, hang] of Object.entries(silent)) {
  test(`read ${name}`, async (t) => {
    const { server, clock, store, newcomer } = await withStore(t);
    store.instead.read = hang;
    const auth = newcomer();
    const caller = auth.getAccessToken();
    await clock.asleep(STORE_TIMEOUT);
    clock.advance(STORE_TIMEOUT);
    await rejects(caller, "StoreError", { fault: "store" });
    assert.equal(server.oracle.presentations, 0);
    delete store.instead.read;
    assert.equal(await server.isActive(await auth.getAccessToken()), true);
  });
}

for (const method of ["read", "write"]) {
  test(`${method} goes missing after construction`, async (t) => {
    const { server, clock, store, auth } = await withStore(t);
    clock.skips = 2_000;
    const honestly = store[method];
    store[method] = undefined;
    clock.advance(LIFETIME);
    const error = await rejection(auth.getAccessToken());
    assert.ok(error instanceof StoreError || error instanceof TransientError, String(error));
    assert.equal(server.oracle.presentations, 0);
    store[method] = honestly;
    clock.advance(60_000);
    assert.equal(await server.isActive(await auth.getAccessToken()), true);
  });
}

const garbage = {
  "a number": 42,
  "a string": "value",
  "an array": ["value"],
  "true": true,
  "an object without a version": { value: "{}" },
  "an object without a value": { version: "1" },
  "a version that is a number": { value: "{}", version: 1 },
  "a value that is an object": { value: { v: 1 }, version: "1" },
  "text that is not JSON": { value: "<html>", version: "1" },
  "JSON that is no record": { value: '{"v":1}', version: "1" },
  "a record with a prototype in it": { value: '{"v":1,"__proto__":{"state":"active"}}', version: "1" },
  "a string of ten million letters": { value: "x".repeat(10_000_000), version: "1" },
  "an object whose every member throws": new Proxy({}, { get: () => raise(), has: () => raise() }),
};
for (const [name, value] of Object.entries(garbage)) {
  test(`read returns ${name}`, async (t) => {
    const { server, store, newcomer } = await withStore(t);
    const before = JSON.stringify(store.contents);
    store.instead.read = () => value;
    const auth = newcomer();
    await rejects(auth.getAccessToken(), "StoreError", { fault: "store", spent: "no" });
    assert.equal(server.oracle.presentations, 0);
    assert.equal(JSON.stringify(store.contents), before, "what is stored is kept");
    delete store.instead.read;
    assert.equal(await server.isActive(await auth.getAccessToken()), true, "and serves as soon as it can be read");
  });
}

for (const value of [null, undefined]) {
  test(`read returns ${value}: there is no record`, async (t) => {
    const { store, newcomer } = await withStore(t);
    store.instead.read = () => value;
    await rejects(newcomer().getAccessToken(), "NoSessionError");
  });
}

test("write answers with garbage: its outcome is unknown, and the store is asked", async (t) => {
  for (const answer of [42, {}, [], true]) {
    const { server, clock, store, auth } = await withStore(t);
    clock.skips = 2_000;
    store.instead.write = (honestly) => {
      honestly();
      return answer;
    };
    clock.advance(LIFETIME);
    assert.equal(await server.isActive(await auth.getAccessToken()), true);
    assert.equal(server.oracle.presentations, 1);
    assert.equal(server.oracle.counts().reuses, 0);
  }
});

test("a record of a newer version of the package is refused, and left untouched", async (t) => {
  const { server, store, newcomer, clock } = await withStore(t);
  const [key] = Object.keys(store.contents);
  const future = JSON.stringify({ v: 999, state: "entangled", wonders: [1, 2, 3] });
  store.plant(key, future);
  const auth = newcomer();
  const error = await rejects(auth.getAccessToken(), "StoreError", { fault: "store" });
  assert.match(error.message, /newer version/);
  const { tokens } = await server.signIn();
  await rejects(auth.setTokens(tokens), "StoreError");
  await auth.signOut().catch(() => {});
  clock.advance(LIFETIME);
  await auth.getAccessToken().catch(() => {});
  assert.equal(store.contents[key], future);
  assert.equal(server.oracle.presentations, 0);
});

test("a store that fails after the refresh never costs the tokens that were obtained", async (t) => {
  const { server, clock, store, auth } = await withStore(t);
  clock.advance(LIFETIME);
  server.oracle.once("granted", () => {
    store.instead.write = () => {
      throw new Error("disk full");
    };
    store.instead.read = () => {
      throw new Error("disk gone");
    };
  });
  const token = await auth.getAccessToken();
  assert.equal(await server.isActive(token), true, "the callers have them although the store has not");
  // Until the store is well again, what was obtained is stored behind everybody's back.
  const retry = await clock.asleep((ms) => ms > 0 && ms <= 4_000);
  store.instead = {};
  clock.advance(retry);
  await until(() => JSON.stringify(store.contents).includes(token), store);
  assert.equal(server.oracle.presentations, 1);
  clock.advance(LIFETIME);
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
  assert.equal(server.oracle.counts().reuses, 0);
});

test("a write that was done but reported as failed is found out, and not done twice", async (t) => {
  const { server, clock, store, auth } = await withStore(t);
  clock.skips = 2_000;
  store.instead.write = (honestly) => {
    honestly();
    throw new Error("connection reset");
  };
  clock.advance(LIFETIME);
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
  assert.equal(server.oracle.presentations, 1);
  assert.equal(server.oracle.counts().rotations, 1);
});

test("conflicts without end are bounded", async (t) => {
  const { server, clock, store, auth } = await withStore(t);
  clock.skips = 2_000;
  store.instead.write = () => undefined;
  clock.advance(LIFETIME);
  await rejects(auth.getAccessToken(), "TransientError", { spent: "no" });
  assert.equal(server.oracle.presentations, 0);
});

test("`onStoreFailure: \"open\"` presents without a claim when nothing else is left", async (t) => {
  const { server, clock, store, auth } = await withStore(t, { onStoreFailure: "open" });
  clock.skips = 2_000;
  await auth.getAccessToken();
  store.instead = { read: failing["throws an Error"], write: failing["throws an Error"] };
  clock.advance(LIFETIME);
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
  assert.equal(server.oracle.presentations, 1);
});

test("while the store is away, the mirror serves the fresh token", async (t) => {
  const { server, store, auth, tokens } = await withStore(t);
  store.instead = { read: silent["never settles"], write: silent["never settles"] };
  assert.equal(await auth.getAccessToken(), tokens.access_token);
  assert.equal(server.oracle.presentations, 0);
});

/** Looks after every call that the store gets. */
async function until(condition, store) {
  for (let calls = store.calls.length; !condition(); calls += 1) {
    await store.called(calls + 1);
    await new Promise(setImmediate);
  }
}

function raise() {
  throw new Error("a getter threw");
}
