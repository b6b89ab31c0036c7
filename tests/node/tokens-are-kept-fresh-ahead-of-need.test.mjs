// `keepFresh`: when a context refreshes although nobody asks, and when it leaves it. One context of several; that it is also one tab of
// several is shown in browsers.

import assert from "node:assert/strict";
import test from "node:test";

import { ConfigurationError, InteractionRequiredError, memoryStore, RefreshCoordinator } from "refresh-coordinator";

import { AnnouncedChannel } from "./announced-channel.mjs";
import { Clock } from "./clock.mjs";
import { TestStore } from "./store.mjs";

const HOUR = 3_600_000;
/** The advisory window of a token that lives for an hour opens so long before its end, and callers wait from there. */
const [ADVISORY, MANDATORY] = [120_000, 10_000];
/** The clocks are looked at at least this often. */
const TICK = 60_000;

/** A coordinator whose `refresh` does what `reply` says; each of its calls is counted. */
function coordinator(t, { reply = () => ({}), ...options } = {}) {
  const clock = options.clock ?? new Clock();
  let refreshes = 0;
  const refresh = async (request) => {
    refreshes += 1;
    return { access_token: `A${refreshes}`, refresh_token: `R${refreshes}`, expires_in: 3_600, ...(await reply(refreshes, request)) };
  };
  const auth = new RefreshCoordinator({ clock, refresh, name: "kept", ...options });
  t.after(() => auth.close());
  const heard = (type) => new Promise((resolve) => auth.subscribe((event) => event?.type === type && resolve(event)));
  return { auth, clock, heard, refreshes: () => refreshes };
}

const signIn = (auth) => auth.setTokens({ access_token: "A0", refresh_token: "R0", expires_in: 3_600 });

/** Time goes on by so much, and whoever looks at the clock meanwhile does what it has to. `keepers`: who sleep in between. */
async function pass(clock, ms, { step = TICK, keepers = 1 } = {}) {
  for (let left = ms; left > 0; left -= step) {
    clock.advance(Math.min(left, step));
    await turns();
    // A call that is under way has a limit, and so a sleeper of its own.
    while (clock.sleeping.length > keepers) await turns();
  }
}

async function turns() {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
}

test("in the second half of the advisory window, where nobody sees it, and not before", async (t) => {
  const { auth, clock, heard, refreshes } = coordinator(t);
  await signIn(auth);
  t.after(auth.keepFresh());
  await pass(clock, HOUR - ADVISORY);
  assert.equal(refreshes(), 0);
  await pass(clock, (ADVISORY - MANDATORY) / 2 - 1);
  assert.equal(refreshes(), 0);
  const refreshed = heard("refreshed");
  clock.advance((ADVISORY - MANDATORY) / 4 + 1);
  await refreshed;
  assert.equal(refreshes(), 1);
  assert.equal(await auth.getAccessToken(), "A1");
});

test("again and again, and nobody has to ask", async (t) => {
  const { auth, clock, heard, refreshes } = coordinator(t);
  await signIn(auth);
  t.after(auth.keepFresh());
  for (let number = 1; number <= 5; number += 1) {
    const refreshed = heard("refreshed");
    while (refreshes() < number) await pass(clock, TICK);
    await refreshed;
  }
  assert.equal(await auth.getAccessToken(), "A5");
});

test("not after it was ended, nor after `close`", async (t) => {
  for (const end of [(stop) => stop(), (_, auth) => auth.close()]) {
    const { auth, clock, refreshes } = coordinator(t);
    await signIn(auth);
    const stop = auth.keepFresh();
    await clock.asleep(TICK);
    end(stop, auth);
    await new Promise(setImmediate);
    assert.deepEqual(clock.sleeping.filter((ms) => ms <= TICK), []);
    clock.advance(HOUR);
    await new Promise(setImmediate);
    assert.equal(refreshes(), 0);
  }
});

test("it ends when all who wanted it have ended it, and ending it twice is once", async (t) => {
  const { auth, clock, refreshes } = coordinator(t);
  await signIn(auth);
  const [one, other] = [auth.keepFresh(), auth.keepFresh()];
  one();
  one();
  await pass(clock, HOUR - MANDATORY);
  assert.equal(refreshes(), 1);
  other();
});

test("two that share a store: one refreshes, and the other has its tokens", async (t) => {
  const [clock, store] = [new Clock(), memoryStore()];
  const [one, other] = [coordinator(t, { clock, store }), coordinator(t, { clock, store })];
  await signIn(one.auth);
  await other.auth.getTokens();
  t.after(one.auth.keepFresh());
  t.after(other.auth.keepFresh());
  await pass(clock, HOUR - MANDATORY, { keepers: 2 });
  assert.equal(one.refreshes() + other.refreshes(), 1);
  assert.deepEqual([await one.auth.getAccessToken(), await other.auth.getAccessToken()], ["A1", "A1"]);
  await pass(clock, HOUR - MANDATORY, { keepers: 2 });
  assert.equal(one.refreshes() + other.refreshes(), 2);
});

test("what another one got is held before anybody asks for it", async (t) => {
  const clock = new Clock();
  const store = new TestStore(clock);
  const channel = new AnnouncedChannel(t, "kept");
  const [one, other] = [coordinator(t, { clock, store, channel }), coordinator(t, { clock, store, channel: new BroadcastChannel("kept") })];
  await channel.after(() => signIn(other.auth));
  t.after(one.auth.keepFresh());
  await turns();
  await channel.after(() => other.auth.refresh());
  await turns();
  store.calls.length = 0;
  assert.equal(await one.auth.getAccessToken(), "A1");
  assert.equal(store.calls.length, 0);
});

test("what is expired when it begins is refreshed at once", async (t) => {
  const { auth, clock, heard } = coordinator(t);
  await signIn(auth);
  clock.advance(HOUR);
  const refreshed = heard("refreshed");
  t.after(auth.keepFresh());
  await refreshed;
});

test("a machine that slept past the end is noticed at the next look at the clock", async (t) => {
  const { auth, clock, heard } = coordinator(t);
  await signIn(auth);
  t.after(auth.keepFresh());
  await clock.asleep(TICK);
  clock.jump(2 * HOUR);
  const refreshed = heard("refreshed");
  clock.advance(TICK);
  await refreshed;
});

test("begun while nobody is signed in, it asks for nothing until somebody is", async (t) => {
  const { auth, clock, refreshes } = coordinator(t);
  t.after(auth.keepFresh());
  await pass(clock, HOUR);
  assert.equal(refreshes(), 0);
  await signIn(auth);
  await pass(clock, HOUR - MANDATORY);
  assert.equal(refreshes(), 1);
  await auth.signOut();
  await pass(clock, 2 * HOUR);
  assert.equal(refreshes(), 1);
});

test("somebody signs in elsewhere with a refresh token alone: nothing is held then, and it is refreshed within a minute", async (t) => {
  const clock = new Clock();
  const store = new TestStore(clock);
  const [one, other] = [coordinator(t, { clock, store }), coordinator(t, { clock, store })];
  t.after(one.auth.keepFresh());
  await pass(clock, TICK);
  await other.auth.setTokens({ refresh_token: "R0" });
  await pass(clock, 2 * TICK);
  assert.equal(one.refreshes(), 1);
});

test("a session without a refresh token is left to end, and is looked at once a minute", async (t) => {
  const clock = new Clock();
  const store = new TestStore(clock);
  const { auth, refreshes } = coordinator(t, { clock, store, refresh: undefined, name: undefined, clientId: "web", tokenEndpoint: "https://issuer.example/token" });
  await auth.setTokens({ access_token: "A0", expires_in: 3_600 });
  t.after(auth.keepFresh());
  await pass(clock, HOUR);
  store.calls.length = 0;
  await pass(clock, 10 * TICK);
  assert.ok(store.calls.length <= 30, `${store.calls.length} calls`);
  assert.equal(refreshes(), 0);
});

for (const [why, error] of [
  ["the user must act", () => new InteractionRequiredError("a second factor is due")],
  ["an option is wrong", () => new ConfigurationError("no such client")],
]) {
  test(`${why}: once the token has ended nothing is asked before there are other tokens`, async (t) => {
    let refused = true;
    const reply = () => {
      if (refused) throw error();
    };
    const { auth, clock, heard, refreshes } = coordinator(t, { reply });
    await signIn(auth);
    t.after(auth.keepFresh());
    await pass(clock, HOUR + TICK);
    const asked = refreshes();
    // Once while the token was good, if the clock was looked at in time, and once when it had ended.
    assert.ok(asked === 1 || asked === 2, `${asked} requests`);
    await pass(clock, 5 * HOUR);
    assert.equal(refreshes(), asked);
    refused = false;
    const refreshed = heard("refreshed");
    await auth.setTokens({ access_token: "B0", refresh_token: "S0", expires_in: 3_600 });
    await pass(clock, HOUR - MANDATORY);
    await refreshed;
    assert.equal(refreshes(), asked + 1);
  });
}

test("a refresh that fails while the token is good is tried again ever more seldom, and no caller hears of it", async (t) => {
  const asked = [];
  const { auth, clock } = coordinator(t, {
    reply() {
      asked.push(clock.monotonic());
      throw Object.assign(new Error("away"), { status: 503 });
    },
    // The server would let it ask at once, and has not touched the token: nothing but pauses of its own keeps it from that.
    classify: () => ({ retryAfter: 0, spent: "no" }),
    retries: 0,
    advisoryWindow: HOUR - MANDATORY,
  });
  await signIn(auth);
  t.after(auth.keepFresh());
  await pass(clock, HOUR - MANDATORY - 1_000, { step: 1_000 });
  assert.equal(await auth.getAccessToken(), "A0");
  const pauses = asked.map((at, number) => at - asked[number - 1]).slice(1);
  // From five seconds to a minute, of which at least a half is kept.
  for (const [number, pause] of pauses.entries()) assert.ok(pause >= Math.min(60_000, 5_000 * 2 ** number) / 2, `pause ${number}: ${pause}`);
  assert.ok(Math.max(...pauses) <= TICK + 1_000, `a pause of ${Math.max(...pauses)}`);
});

test("a server that is away and comes back is asked again, without a caller", async (t) => {
  let away = true;
  const reply = () => {
    if (away) throw Object.assign(new Error("away"), { status: 503 });
  };
  const { auth, clock, heard, refreshes } = coordinator(t, { reply, retries: 0 });
  await signIn(auth);
  t.after(auth.keepFresh());
  await pass(clock, HOUR + 10 * TICK);
  assert.ok(refreshes() > 1);
  away = false;
  const refreshed = heard("refreshed");
  await pass(clock, 3 * TICK);
  await refreshed;
});

test("somebody signs in elsewhere, and nobody says so: it is noticed within a minute", async (t) => {
  const clock = new Clock();
  const store = new TestStore(clock);
  const [one, other] = [coordinator(t, { clock, store }), coordinator(t, { clock, store })];
  t.after(one.auth.keepFresh());
  await pass(clock, TICK);
  await signIn(other.auth);
  await pass(clock, HOUR - MANDATORY);
  assert.equal(one.refreshes(), 1);
});

test("a clock that fails, or whose sleep does not last, keeps nothing from going on", async (t) => {
  const real = new Clock();
  for (const clock of [
    { now: () => real.now(), monotonic: () => real.monotonic(), sleep: () => Promise.resolve() },
    { now: () => real.now(), monotonic: () => real.monotonic(), sleep: () => { throw new Error("no timer"); } },
    { now: () => { throw new Error("no time"); }, monotonic: () => { throw new Error("no time"); }, sleep: () => Promise.reject(new Error()) },
  ]) {
    const { auth } = coordinator(t, { clock });
    await signIn(auth);
    const stop = auth.keepFresh();
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
    assert.equal(typeof (await auth.getAccessToken()), "string");
    stop();
  }
});

test("a coordinator that was closed says so", () => {
  const auth = new RefreshCoordinator({ refresh: () => ({}) });
  auth.close();
  assert.throws(() => auth.keepFresh(), { name: "ConfigurationError", code: "closed" });
});
