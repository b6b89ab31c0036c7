// The memory mirror, seen from outside: when a call is answered without the store, and when it is not.

import assert from "node:assert/strict";
import test from "node:test";

import { RefreshCoordinator } from "refresh-coordinator";

import { Clock } from "./clock.mjs";
import { TestStore } from "./store.mjs";

const HOUR = 3_600_000;

/** A coordinator that is signed in for an hour, on a store that counts. */
async function signedIn(t, { members, ...options } = {}) {
  const clock = new Clock();
  const store = Object.assign(new TestStore(clock), members);
  let refreshes = 0;
  const refresh = () => ({ access_token: `A${(refreshes += 1)}`, refresh_token: `R${refreshes}`, expires_in: 3_600 });
  const auth = new RefreshCoordinator({ clock, store, refresh, ...options });
  t.after(() => auth.close());
  await auth.setTokens({ access_token: "A0", refresh_token: "R0", expires_in: 3_600 });
  await auth.getTokens();
  store.calls.length = 0;
  return { auth, clock, store, refreshes: () => refreshes };
}

test("while it is fresh: one promise for all, and no look into the store", async (t) => {
  const { auth, store } = await signedIn(t);
  assert.equal(auth.getAccessToken(), auth.getAccessToken());
  assert.equal(auth.getTokens(), auth.getTokens());
  assert.equal(await auth.getAccessToken(), "A0");
  assert.equal(store.calls.length, 0);
});

test("in the advisory window the valid token is returned at once, and one refresh runs behind it", async (t) => {
  const { auth, clock, refreshes } = await signedIn(t);
  clock.advance(HOUR - 60_000);
  const refreshed = new Promise((resolve) => auth.subscribe((event) => event?.type === "refreshed" && resolve()));
  const tokens = await Promise.all(Array.from({ length: 100 }, () => auth.getAccessToken()));
  assert.deepEqual(new Set(tokens), new Set(["A0"]));
  await refreshed;
  assert.equal(await auth.getAccessToken(), "A1");
  assert.equal(refreshes(), 1);
});

test("in the mandatory window callers wait", async (t) => {
  const { auth, clock } = await signedIn(t);
  clock.advance(HOUR - 5_000);
  assert.equal(await auth.getAccessToken(), "A1");
});

test("a wall clock set forward ends it; one set back does not prolong it", async (t) => {
  const forward = await signedIn(t);
  forward.clock.jump(HOUR);
  assert.equal(await forward.auth.getAccessToken(), "A1");
  const back = await signedIn(t);
  back.clock.jump(-HOUR);
  back.clock.advance(HOUR);
  assert.equal(await back.auth.getAccessToken(), "A1");
});

test("a token that was refused is not served while its successor is fetched", async (t) => {
  const { auth } = await signedIn(t);
  const another = auth.refresh({ rejected: "A0" });
  assert.notEqual(await auth.getAccessToken(), "A0");
  assert.equal((await another).accessToken, "A1");
});

const watch = () => () => {};
const sealKey = "at least sixteen characters";
const stores = {
  "where nobody announces changes, the store is asked again after 60 s": { asked: true },
  "where every change of the origin is announced, it is not": { scope: "origin", watch, asked: false },
};

for (const [title, { asked, ...members }] of Object.entries(stores)) {
  test(title, async (t) => {
    const { auth, clock, store } = await signedIn(t, { members });
    clock.advance(59_000);
    await auth.getTokens();
    assert.equal(store.calls.length, 0);
    clock.advance(2_000);
    await auth.getTokens();
    assert.equal(store.calls.length > 0, asked);
  });
}

for (const scope of ["host", "cluster"]) {
  test(`where an announcement may be lost, the store is looked at after 60 s, and nobody waits for that: ${scope}`, async (t) => {
    const { auth, clock, store } = await signedIn(t, { members: { scope, watch }, sealKey });
    const elsewhere = new RefreshCoordinator({ clock, store, sealKey, refresh: () => ({}) });
    t.after(() => elsewhere.close());
    await elsewhere.signOut();
    store.calls.length = 0;
    clock.advance(59_000);
    assert.equal(await auth.getAccessToken(), "A0");
    assert.equal(store.calls.length, 0);
    clock.advance(2_000);
    const hangs = new Promise((resolve) => (store.instead.read = async (honest) => (await resolve(), honest())));
    const served = auth.getAccessToken();
    const looked = new Promise((resolve) => auth.subscribe(() => auth.getSnapshot().status === "signed-out" && resolve()));
    assert.equal(await served, "A0");
    await hangs;
    await looked;
    await assert.rejects(auth.getAccessToken(), { name: "NoSessionError" });
  });
}

test("a clock that throws is never thrown at the caller", async (t) => {
  const { auth, clock } = await signedIn(t);
  clock.now = () => {
    throw new Error("the clock broke");
  };
  await Promise.allSettled([auth.getAccessToken(), auth.getTokens()]);
});

test("a slow read that was overtaken brings nothing back: neither the old access token nor the spent refresh token", async (t) => {
  const { clock, store } = await signedIn(t);
  let read;
  const slow = new Promise((resolve) => (read = resolve));
  let minted = 0;
  const refresh = () => ({ access_token: `B${(minted += 1)}`, refresh_token: `S${minted}`, expires_in: 3_600 });
  const auth = new RefreshCoordinator({ clock, store, refresh });
  t.after(() => auth.close());
  store.instead.read = (honest) => {
    delete store.instead.read;
    const old = honest();
    return slow.then(() => old);
  };
  const overtaken = auth.getTokens();
  const renewed = await auth.refresh({ mintedAfterNow: true });
  assert.equal(renewed.refreshToken, "S1");
  read();
  assert.equal((await overtaken).refreshToken, "S1");
  assert.equal((await auth.getTokens()).accessToken, "B1");
  assert.equal(auth.getSnapshot().generation, 1);
});

test("thousands of different parameters are not kept for ever, and each call still gets its own", async (t) => {
  const { auth } = await signedIn(t, {
    refresh: ({ params }) => ({ access_token: `for ${params.audience}`, refresh_token: "R", expires_in: 3_600 }),
  });
  for (let count = 0; count < 600; count += 1) {
    const params = { audience: `a${count}` };
    assert.equal(await auth.getAccessToken({ params }), `for a${count}`);
  }
  assert.equal(await auth.getAccessToken({ params: { audience: "a0" } }), "for a0");
  assert.equal(await auth.getAccessToken({ params: { audience: "a599" } }), "for a599");
});
