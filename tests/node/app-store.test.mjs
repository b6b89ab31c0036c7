// `appStore` by itself: the store's contract on a storage that has no versions. What it is for is told in
// tests/conformance/an-app-keeps-its-own-storage.test.mjs.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import test from "node:test";

import { RefreshCoordinator } from "refresh-coordinator";
import { appStore } from "refresh-coordinator/stores/app";

import { rejects } from "./errors.mjs";
import { authorizationServer, coordinator, scene, times } from "./scene.mjs";

/** A storage of one value, and a record as the core writes it. */
function storage(stored) {
  const all = { stored, running: 0, most: 0 };
  const slowly = async (work) => {
    all.most = Math.max(all.most, (all.running += 1));
    await new Promise(setImmediate);
    all.running -= 1;
    return work();
  };
  all.load = () => slowly(() => all.stored);
  all.save = (tokens) => slowly(() => void (all.stored = tokens));
  all.clear = () => slowly(() => void (all.stored = undefined));
  return all;
}
const record = (refreshToken, more) => JSON.stringify({ v: 1, state: "active", sid: "s", generation: 0, refreshToken, ...more });

test("a write needs the version that is there, or null for nothing; none is used twice", async () => {
  const store = appStore(storage());
  assert.equal(await store.read("k"), undefined);
  assert.equal(await store.write("k", record("R1"), { ifVersion: "1" }), undefined);
  const first = await store.write("k", record("R1"), { ifVersion: null });
  assert.equal(typeof first, "string");
  assert.equal(await store.write("k", record("R2"), { ifVersion: null }), undefined);
  const second = await store.write("k", record("R2"), { ifVersion: first });
  assert.deepEqual(await store.read("k"), { value: record("R2"), version: second });
  await store.write("k", undefined, { ifVersion: second });
  assert.equal(await store.read("k"), undefined);
  const third = await store.write("k", record("R2"), { ifVersion: null });
  assert.equal(new Set([first, second, third]).size, 3);
  await assert.rejects(store.write("k", record("R3"), {}), /ifVersion/);
});

test("calls into the storage are made one after the other, and of twenty writes on one version one succeeds", async () => {
  const own = storage();
  const store = appStore(own);
  const written = await Promise.all(times(20, (_, count) => store.write("k", record(`R${count}`), { ifVersion: null })));
  assert.equal(written.filter((version) => version !== undefined).length, 1);
  assert.equal(own.most, 1);
  assert.equal(own.stored.refreshToken, "R0");
});

test("what is no token does not reach the storage, and what somebody else stores makes old versions conflict", async () => {
  const own = storage();
  const store = appStore(own);
  const first = await store.write("k", record("R1"), { ifVersion: null });
  const saved = own.stored;
  const second = await store.write("k", record("R1", { intent: { nonce: "n" }, sends: 1 }), { ifVersion: first });
  assert.equal(own.stored, saved);
  own.stored = { refreshToken: "R9", accessToken: "A9", expiresAt: Date.UTC(2100, 0, 1) };
  assert.equal(await store.write("k", record("R2"), { ifVersion: second }), undefined);
  assert.equal(own.stored.refreshToken, "R9");
  const there = JSON.parse((await store.read("k")).value);
  assert.deepEqual([there.sid, there.generation, there.refreshToken, there.intent, there.sends], ["s", 1, "R9", undefined, undefined]);
});

test("another access token beside the same refresh token changes that alone: whoever presents the refresh token goes on", async () => {
  const own = storage();
  const store = appStore(own);
  const grant = { accessToken: "A1", expiresAt: 2e12, issuedAt: 1e12, minted: 0 };
  const intent = { nonce: "n", hash: "h", locked: true, deadline: 1, duration: 1 };
  await store.write("k", record("R1", { grants: { "": grant, other: grant }, intent, sends: 1 }), { ifVersion: null });
  own.stored = { ...own.stored, accessToken: "A2", expiresAt: 3e12 };
  const { grants, ...there } = JSON.parse((await store.read("k")).value);
  assert.deepEqual(there, { v: 1, state: "active", sid: "s", generation: 0, refreshToken: "R1", intent, sends: 1 });
  assert.deepEqual([grants[""].accessToken, grants[""].expiresAt, grants.other.accessToken], ["A2", 3e12, "A1"]);
});

test("tokens that wait for their revocation are kept, whatever somebody else does to the storage", async () => {
  for (const after of [undefined, { refreshToken: "R9" }]) {
    for (const state of ["active", "out"]) {
      const own = storage();
      const store = appStore(own);
      const tokens = state === "active" ? { refreshToken: "R1" } : { refreshToken: undefined };
      await store.write("k", record(tokens.refreshToken, { state, revoke: ["R0"] }), { ifVersion: null });
      own.stored = after;
      assert.deepEqual(JSON.parse((await store.read("k")).value).revoke, ["R0"]);
    }
  }
});

test("a save that was done but reported as failed is found out", async () => {
  const own = storage();
  const { save } = own;
  const store = appStore({ ...own, load: own.load, save: (tokens) => save(tokens).then(() => Promise.reject(new Error("lost"))) });
  await assert.rejects(store.write("k", record("R1"), { ifVersion: null }), /lost/);
  assert.equal((await store.read("k")).value, record("R1"));
});

test("wrong arguments, and wrong answers of `load`, are named", async () => {
  const { load, save, clear } = storage();
  for (const wrong of [undefined, null, {}, { load, save }, { load, save, clear: 5 }]) assert.throws(() => appStore(wrong), TypeError);
  for (const lag of [-1, NaN, Infinity, "250"]) assert.throws(() => appStore({ load, save, clear, lag }), /lag/);
  const answers = [5, "token", [], {}, { refreshToken: 5 }, { accessToken: {} }, { refreshToken: "R", expiresAt: 1_900_000_000 }, Object.create({ refreshToken: "R" })];
  for (const answer of answers) await assert.rejects(appStore({ load: () => answer, save, clear }).read("k"), TypeError, String(answer));
  for (const nothing of [undefined, null]) assert.equal(await appStore({ load: () => nothing, save, clear }).read("k"), undefined);
});

test("one storage holds one session: another name is refused, and the first one goes on", async (t) => {
  const store = appStore(storage());
  const { auth, server, clock } = await scene(t, { store });
  await rejects(coordinator(t, server, { clock, store, session: "work" }).getAccessToken(), "StoreError");
  assert.equal(typeof (await auth.getAccessToken()), "string");
});

test("coordinators that share the object share the rotation", async (t) => {
  const store = appStore(storage());
  const { auth, server, clock, expire, counts } = await scene(t, { store });
  const other = coordinator(t, server, { clock, store });
  expire();
  const tokens = await Promise.all([auth, other].flatMap((one) => times(100, () => one.getAccessToken())));
  assert.equal(new Set(tokens).size, 1);
  assert.deepEqual([server.oracle.presentations, counts().rotations], [1, 1]);
});

test("successor mode beside it keeps its records in memory", async (t) => {
  const own = storage();
  const server = await authorizationServer(t);
  const auth = coordinator(t, server, { store: appStore(own) });
  const { tokens } = await server.signIn();
  const renewed = await auth.renew({ refreshToken: tokens.refresh_token });
  assert.deepEqual(await auth.renew({ refreshToken: tokens.refresh_token }), renewed);
  assert.equal(own.stored, undefined);
  assert.equal(server.oracle.presentations, 1);
});

test("a seal key and a format of the app's own exclude each other, and it is said so", async (t) => {
  const auth = new RefreshCoordinator({ refresh: () => ({}), store: appStore(storage()), sealKey: "a seal key that is long enough" });
  t.after(() => auth.close());
  const error = await rejects(auth.setTokens({ access_token: "A", refresh_token: "R", expires_in: 300 }), "StoreError");
  assert.match(String(error.cause?.message), /sealKey/);
});

test("CommonJS finds it too", () => {
  const required = createRequire(import.meta.url)("refresh-coordinator/stores/app");
  assert.deepEqual(Object.keys(required), ["appStore"]);
});
