// A clock that lies, throws or sleeps for ever must not keep anybody waiting without end.

import assert from "node:assert/strict";
import test from "node:test";
import { inspect } from "node:util";

import { RefreshCoordinator } from "refresh-coordinator";

import { unavailable } from "../authorization-server/faults.mjs";
import { failing } from "./callbacks-of-any-shape.mjs";
import { Clock } from "./clock.mjs";
import { rejects } from "./errors.mjs";
import { LIFETIME, authorizationServer, coordinator, scene } from "./scene.mjs";
import { TestStore } from "./store.mjs";

/** A clock of which one method is another's. */
const clockWith = (members) => {
  const clock = new Clock(Date.now());
  return Object.assign(
    { now: () => clock.now(), monotonic: () => clock.monotonic(), sleep: (ms, signal) => clock.sleep(ms, signal) },
    members,
  );
};

for (const method of ["now", "monotonic", "sleep"]) {
  for (const [name, fail] of Object.entries(failing)) {
    // The two that tell the time answer at once: a promise is no time, and what becomes of it is its maker's business.
    if (method !== "sleep" && name.startsWith("rejects")) continue;
    test(`${method} ${name}`, async (t) => {
      const server = await authorizationServer(t);
      const { tokens } = await server.signIn();
      const auth = coordinator(t, server, { clock: clockWith({ [method]: fail }) });
      await auth.setTokens({ refresh_token: tokens.refresh_token });
      assert.equal(await server.isActive(await auth.getAccessToken()), true);
      assert.equal(server.oracle.presentations, 1);
    });
  }
}

for (const method of ["now", "monotonic"]) {
  for (const value of [NaN, Infinity, -Infinity, "12", undefined, null, {}, 10n, Promise.resolve(5)]) {
    test(`${method} returns ${inspect(value)}`, async (t) => {
      const server = await authorizationServer(t);
      const { tokens } = await server.signIn();
      const auth = coordinator(t, server, { clock: clockWith({ [method]: () => value }) });
      await auth.setTokens({ refresh_token: tokens.refresh_token });
      assert.equal(await server.isActive(await auth.getAccessToken()), true);
    });
  }
}

for (const value of [undefined, null, 5, "later"]) {
  test(`sleep returns ${value} at once: every limit is over at once, and there is an answer all the same`, async (t) => {
    const server = await authorizationServer(t);
    const { tokens } = await server.signIn();
    const auth = coordinator(t, server, { clock: clockWith({ sleep: () => value }), retries: 0 });
    await auth.setTokens({ refresh_token: tokens.refresh_token });
    const [outcome] = await Promise.allSettled([auth.getAccessToken()]);
    if (outcome.status === "rejected") assert.ok(["TransientError", "StoreError"].includes(outcome.reason.name), String(outcome.reason));
  });
}

/** What a wait for somebody else is measured with. */
const timers = {
  "whose time goes on": () => performance.now(),
  "whose time stands still": () => 0,
};

for (const [title, monotonic] of Object.entries(timers)) {
  test(`sleep is over at once, by a clock ${title}: who waits for another one blocks nobody, and is told`, async (t) => {
    const normal = new Clock(Date.now());
    const store = new TestStore(normal);
    const begin = (options) => {
      const auth = new RefreshCoordinator({ store, name: "shared", ...options });
      t.after(() => auth.close());
      return auth;
    };
    const sent = new Promise((resolve) => {
      const owner = begin({ clock: normal, refresh: () => (resolve(), new Promise(() => {})) });
      owner.setTokens({ refresh_token: "R0" }).then(() => owner.getAccessToken()).catch(() => {});
    });
    await sent;
    const waits = begin({ clock: { now: () => Date.now(), monotonic, sleep: async () => {} }, lockWait: 500, refresh: () => ({}) });
    // Its own limit is over at once, too; the flight goes on.
    await rejects(waits.getAccessToken(), "TransientError");
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok(store.calls.length < 100, `${store.calls.length} calls into the store before anybody else had a turn`);
  });
}

test("an abandoned sleep is told so, and not left behind", async (t) => {
  const { clock, auth, expire } = await scene(t);
  expire();
  await auth.getAccessToken();
  await new Promise(setImmediate);
  assert.deepEqual(clock.sleeping, []);
});

test("the wall clock is set back by an hour: the token is not taken for fresh", async (t) => {
  const { server, clock, auth, expire, before } = await scene(t);
  clock.jump(-3_600_000);
  expire();
  assert.notEqual(await auth.getAccessToken(), before.accessToken);
  assert.equal(server.oracle.presentations, 1);
});

test("the wall clock is set forward by an hour: one refresh, and no more than one", async (t) => {
  const { server, clock, auth } = await scene(t);
  clock.jump(3_600_000);
  const token = await auth.getAccessToken();
  assert.equal(await auth.getAccessToken(), token);
  assert.equal(server.oracle.presentations, 1);
});

test("a cool-down that lies hours ahead is that of a clock that was set back", async (t) => {
  const { server, clock, auth, expire } = await scene(t, { retries: 0 });
  expire();
  server.next(1, unavailable());
  await rejects(auth.getAccessToken(), "TransientError", { status: 503 });
  clock.jump(-3 * 3_600_000);
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
});

test("a 401 is evidence even if the local clock disagrees", async (t) => {
  const { server, auth, before } = await scene(t);
  const token = await auth.refresh({ rejected: before.accessToken });
  assert.notEqual(token.accessToken, before.accessToken);
  assert.equal(server.oracle.presentations, 1);
});

test("remaining life counts from the moment the request was sent", async (t) => {
  const { server, clock, auth, expire } = await scene(t, { timeout: 60_000 });
  expire();
  const held = server.holdReply();
  const call = auth.getTokens();
  await held.arrived;
  const sentAt = clock.now();
  clock.advance(20_000);
  held.release();
  assert.equal((await call).expiresAt, sentAt + LIFETIME);
});
