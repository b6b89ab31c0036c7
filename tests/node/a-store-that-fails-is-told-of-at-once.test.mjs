// The store takes the claim, and fails when what was granted is to be committed: the event comes with the tokens, not when the
// store has come back.

import assert from "node:assert/strict";
import test from "node:test";

import { Clock } from "./clock.mjs";
import { rejection } from "./errors.mjs";
import { authorizationServer, coordinator, scene } from "./scene.mjs";
import { TestStore } from "./store.mjs";

const settled = () => new Promise(setImmediate);

const fails = () => {
  throw new Error("the store is away");
};

/** Signed in, with a store that can be made to fail, and all events by type. */
async function troubled(t, options) {
  const clock = new Clock();
  const store = new TestStore(clock);
  const signedIn = await scene(t, { clock, store, ...options });
  const events = [];
  signedIn.auth.subscribe((event) => event && events.push(event));
  const told = (type) => events.filter((event) => event.type === type);
  return { ...signedIn, store, told };
}

for (const away of ["write", "read and write"]) {
  test(`session mode: ${away}`, async (t) => {
    const { server, clock, store, auth, expire, told, counts } = await troubled(t);
    const held = server.holdReply();
    expire();
    const caller = auth.getTokens();
    await held.arrived;
    store.instead = away === "write" ? { write: fails } : { write: fails, read: fails };
    held.release();
    const { accessToken } = await caller;
    await settled();
    assert.ok(told("store-failed").some(({ operation }) => operation === "write"));
    assert.deepEqual(told("refreshed"), [], "it is not durable yet");
    const before = told("store-failed").length;
    clock.advance(await clock.asleep((ms) => ms <= 4_000));
    await settled();
    assert.ok(told("store-failed").length > before, "each attempt is told of when it fails");
    store.instead = {};
    clock.advance(await clock.asleep((ms) => ms <= 4_000));
    await settled();
    assert.equal(told("refreshed").length, 1);
    assert.equal(await coordinator(t, server, { clock, store }).getAccessToken(), accessToken);
    assert.equal(counts().rotations, 1);
  });
}

test("also while the next attempt has not come to an end", async (t) => {
  const { server, store, auth, expire, told } = await troubled(t);
  const held = server.holdReply();
  expire();
  const caller = auth.getTokens();
  await held.arrived;
  let attempts = 0;
  store.instead.write = () => ((attempts += 1) === 1 ? fails() : new Promise(() => {}));
  held.release();
  await caller;
  await settled();
  assert.deepEqual([attempts, told("store-failed").length], [2, 1]);
});

test("successor mode", async (t) => {
  const { server, clock, store, auth, tokens, expire, told } = await troubled(t);
  const held = server.holdReply();
  expire();
  const caller = auth.renew({ ...tokens, expires_at: clock.now() - 1 });
  await held.arrived;
  store.instead.write = fails;
  held.release();
  await caller;
  await settled();
  assert.ok(told("store-failed").some(({ operation }) => operation === "write"));
  assert.deepEqual(told("refreshed"), []);
  const rest = await clock.asleep((ms) => ms <= 4_000);
  const refreshed = new Promise((resolve) => auth.subscribe((event) => event?.type === "refreshed" && resolve()));
  store.instead = {};
  clock.advance(rest);
  await refreshed;
});

test("also where there are no tokens for the caller, because the user has signed out elsewhere", async (t) => {
  const server = await authorizationServer(t);
  const clock = new Clock();
  const store = new TestStore(clock);
  const options = { clock, store, revocationEndpoint: server.revocationEndpoint };
  const [auth, other] = [coordinator(t, server, options), coordinator(t, server, options)];
  await auth.setTokens((await server.signIn()).tokens);
  const events = [];
  auth.subscribe((event) => event && events.push(event.type));
  const held = server.holdReply();
  clock.advance(300_000);
  const caller = auth.getTokens();
  await held.arrived;
  await other.signOut();
  store.instead.write = fails;
  held.release();
  await clock.asleep((ms) => ms <= 4_000);
  await settled();
  assert.ok(events.includes("store-failed"));
  store.instead = {};
  clock.advance(4_000);
  assert.equal((await rejection(caller)).code, "no-session");
});
