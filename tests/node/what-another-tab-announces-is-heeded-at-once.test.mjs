// Two coordinators with nothing in common but a store that cannot be watched and a BroadcastChannel: tabs, in all but the walls.
// Once the announcement has arrived, nobody is given what it has made void.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import test from "node:test";

import { RefreshCoordinator } from "refresh-coordinator";

import { AnnouncedChannel } from "./announced-channel.mjs";
import { Clock } from "./clock.mjs";
import { assertError, rejection } from "./errors.mjs";
import { TestStore } from "./store.mjs";

/** Two tabs that are signed in to one session. */
async function tabs(t) {
  const clock = new Clock();
  const store = new TestStore(clock);
  const name = randomUUID();
  let refreshes = 0;
  const refresh = () => ({ access_token: `A${(refreshes += 1)}`, refresh_token: `R${refreshes}`, expires_in: 3_600 });
  const tab = () => {
    const channel = new AnnouncedChannel(t, name);
    const auth = new RefreshCoordinator({ clock, store, refresh, channel, name });
    t.after(() => auth.close());
    return { auth, channel };
  };
  const [here, there] = [tab(), tab()];
  await there.channel.after(() => here.auth.setTokens({ access_token: "A0", refresh_token: "R0", expires_in: 3_600 }));
  assert.equal(await there.auth.getAccessToken(), "A0");
  return { here, there, store, name, tab };
}

test("a sign-out is refused in the other tab, whose mirror was fresh", async (t) => {
  const { here, there } = await tabs(t);
  await there.channel.after(() => here.auth.signOut());
  assertError(await rejection(there.auth.getAccessToken()), "NoSessionError");
});

test("the same in the tab that has announced the last rotation itself", async (t) => {
  const { here, there } = await tabs(t);
  await here.channel.after(() => there.auth.refresh());
  await there.channel.after(() => here.auth.signOut());
  assertError(await rejection(there.auth.getAccessToken()), "NoSessionError");
});

test("a sign-out right behind another announcement is heeded no later", async (t) => {
  const { here, there } = await tabs(t);
  await there.channel.after(() => here.auth.refresh());
  assert.equal(await there.auth.getAccessToken(), "A1");
  await there.channel.after(() => here.auth.signOut());
  assertError(await rejection(there.auth.getAccessToken()), "NoSessionError");
});

test("after a change of accounts nobody gets the old one's token", async (t) => {
  const { here, there } = await tabs(t);
  await there.channel.after(() => here.auth.setTokens({ access_token: "B0", refresh_token: "Rb", expires_in: 3_600 }));
  assertError(await rejection(there.auth.getAccessToken()), "NoSessionError");
  assert.equal(await there.auth.getAccessToken(), "B0");
});

for (const [what, change, outcome] of [
  ["sign-out", (auth) => auth.signOut(), "NoSessionError"],
  ["change of accounts", (auth) => auth.setTokens({ access_token: "B0", refresh_token: "Rb", expires_in: 3_600 }), "NoSessionError"],
  ["rotation", (auth) => auth.refresh(), "A1"],
]) {
  test(`a ${what} announced after the store was read, and before the answer is here, is not overlooked`, async (t) => {
    const { here, there, store } = await tabs(t);
    // The mirror forgets; the next call reads the store, and the answer is slow.
    await there.channel.after(() => here.auth.setTokens({ access_token: "A0+", refresh_token: "R0", expires_in: 7_200 }));
    let answer;
    const slow = new Promise((resolve) => (answer = resolve));
    store.instead.read = async (honest) => {
      const read = honest();
      store.instead.read = undefined;
      await slow;
      return read;
    };
    const reading = store.called(store.calls.length + 1);
    const before = there.auth.getAccessToken();
    await reading;
    await there.channel.after(() => change(here.auth));
    const after = there.auth.getAccessToken();
    answer();
    for (const call of [before, after, there.auth.getAccessToken()]) {
      const settled = await call.catch((error) => error.name);
      assert.equal(settled, outcome);
    }
    const now = await there.auth.getAccessToken().catch((error) => error.name);
    assert.equal(now, what === "change of accounts" ? "B0" : outcome);
  });
}

test("a sign-out announced before a sign-in has its answer from the store is not overlooked", async (t) => {
  const { there, store, tab } = await tabs(t);
  const third = tab();
  let answer;
  const slow = new Promise((resolve) => (answer = resolve));
  store.instead.write = async (honest) => {
    const written = honest();
    store.instead.write = undefined;
    await slow;
    return written;
  };
  const writing = store.called(store.calls.length + 2);
  const entered = there.auth.setTokens({ access_token: "B0", refresh_token: "Rb", expires_in: 3_600 });
  await writing;
  // It knows of no session yet, so it is the one that is there that it ends.
  await there.channel.after(() => third.auth.signOut());
  answer();
  assert.equal((await entered).accessToken, "B0");
  assertError(await rejection(there.auth.getAccessToken()), "NoSessionError");
});

test("a channel that delivers to its sender too does not empty the sender's mirror", async (t) => {
  const store = new TestStore(new Clock());
  const channel = new EventTarget();
  channel.postMessage = (data) => channel.dispatchEvent(Object.assign(new Event("message"), { data }));
  const auth = new RefreshCoordinator({ store, channel, name: "echo", refresh: () => ({ access_token: "A1", refresh_token: "R1" }) });
  t.after(() => auth.close());
  await auth.setTokens({ access_token: "A0", refresh_token: "R0", expires_in: 3_600 });
  await auth.refresh();
  const calls = store.calls.length;
  assert.equal(await auth.getAccessToken(), "A1");
  assert.equal(store.calls.length, calls);
});

test("a flood of forged messages causes a look every 50 ms, and none where nobody is looking", async (t) => {
  const { there, store, name } = await tabs(t);
  const { key, sid } = await new Promise((resolve) => {
    const listening = new BroadcastChannel(name);
    listening.addEventListener("message", ({ data }) => resolve(data), { once: true });
    t.after(() => listening.close());
    there.auth.refresh();
  });
  const forger = new BroadcastChannel(name);
  t.after(() => forger.close());
  const flood = () => {
    for (let count = 0; count < 500; count += 1) forger.postMessage({ v: 1, key, sid, generation: 1_000 + count });
  };
  const reads = () => store.calls.filter(([method]) => method === "read").length;

  await there.auth.getAccessToken();
  const quiet = reads();
  await there.channel.after(flood, 500);
  assert.equal(reads(), quiet, "nobody asked");
  assert.equal(await there.auth.getAccessToken(), "A1", "and a message proves nothing");

  t.after(there.auth.subscribe(() => {}));
  const [before, since] = [reads(), performance.now()];
  await there.channel.after(flood, 500);
  const paces = Math.ceil((performance.now() - since) / 50);
  assert.ok(reads() - before <= paces + 1, `${reads() - before} reads in ${paces} times 50 ms`);
});
