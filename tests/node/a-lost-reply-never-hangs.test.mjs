// The server has rotated, and its reply is lost: the one thing that nobody can undo on a strict server.

import assert from "node:assert/strict";
import test from "node:test";

import {
  graceAndLostAfterRotation,
  lostAfterRotation,
  lostBeforeRotation,
  strict,
} from "../authorization-server/personalities.mjs";
import * as faults from "../authorization-server/faults.mjs";
import { Clock } from "./clock.mjs";
import { rejects } from "./errors.mjs";
import { LIFETIME, authorizationServer, coordinator, scene, times } from "./scene.mjs";
import { TestStore } from "./store.mjs";

/** A clock that sleeps through back-offs. */
function impatient() {
  const clock = new Clock();
  clock.skips = 2_000;
  return clock;
}

test("on a strict server the session is over, and the error says why", async (t) => {
  const { server, auth, expire, counts } = await scene(t, { personality: lostAfterRotation, clock: impatient() });
  expire();
  const callers = times(100, () => auth.getAccessToken());
  const error = await rejects(callers[0], "RevokedError", { reason: "response-lost", oauthError: "invalid_grant", status: 400 });
  for (const caller of callers) assert.equal(await caller.catch((thrown) => thrown), error);
  assert.equal(server.oracle.presentations, 2, "it was tried once more, for there was nothing left to lose");
  assert.equal(counts().reuses, 1);
  assert.equal(auth.getSnapshot().status, "revoked");

  await rejects(auth.getAccessToken(), "RevokedError", { reason: "response-lost" });
  assert.equal(server.oracle.presentations, 2, "a session that is over is not asked about again");
});

test("after that, a new sign-in works", async (t) => {
  const { server, auth, expire } = await scene(t, { personality: lostAfterRotation, clock: impatient() });
  expire();
  await rejects(auth.getAccessToken(), "RevokedError");
  const { tokens } = await server.signIn();
  await auth.setTokens(tokens);
  assert.equal(auth.getSnapshot().status, "active");
  expire();
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
});

test("with a grace period the session lives", async (t) => {
  const personality = graceAndLostAfterRotation;
  const { server, auth, expire, counts } = await scene(t, { personality, clock: impatient(), grace: 60 });
  expire();
  const { accessToken, refreshToken } = await auth.getTokens();
  assert.equal(await server.isActive(accessToken), true);
  assert.equal(await server.isAlive(refreshToken), true);
  assert.deepEqual(counts(), { granted: 2, refused: 0, rotations: 2, reuses: 0, revocations: 0, signOuts: 0 });
  expire();
  await auth.getTokens();
  assert.equal(counts().rotations, 3);
});

test("lost before the rotation, the session lives on any server", async (t) => {
  const { server, auth, expire, counts } = await scene(t, { personality: lostBeforeRotation, clock: impatient() });
  expire();
  const tokens = await Promise.all(times(100, () => auth.getAccessToken()));
  assert.equal(new Set(tokens).size, 1);
  assert.equal(counts().rotations, 1);
  assert.equal(server.oracle.presentations, 2);
});

test("while the access token is good, nothing is risked: it is served, and the question waits", async (t) => {
  const { server, clock, auth, before } = await scene(t, { personality: lostAfterRotation, clock: impatient() });
  const lifeLeft = 60_000;
  clock.advance(LIFETIME - lifeLeft);
  const ended = new Promise((resolve) => server.oracle.once("granted", resolve));
  assert.equal(await auth.getAccessToken(), before.accessToken, "in the advisory window, refreshed behind the back");
  await ended;
  for (let second = 0; second < 40; second += 1) {
    assert.equal(await auth.getAccessToken(), before.accessToken);
    clock.advance(1_000);
  }
  assert.equal(server.oracle.presentations, 1, "a second one would have killed the access token too");
  assert.equal(await server.isActive(before.accessToken), true);
  clock.advance(lifeLeft);
  await rejects(auth.getAccessToken(), "RevokedError", { reason: "response-lost" });
});

test("without retries the caller hears that the reply is missing, and that the token may be spent", async (t) => {
  const { clock, auth, expire, server } = await scene(t, { personality: lostBeforeRotation, retries: 0 });
  expire();
  const error = await rejects(auth.getAccessToken(), "TransientError", { fault: "network", spent: "maybe", status: undefined });
  assert.ok(error.retryAt > clock.now() && error.retryAt <= clock.now() + 60_000, `retryAt ${error.retryAt - clock.now()}`);
  clock.advance(error.retryAt - clock.now());
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
});

test("N-11: a server that never answers is given up after `timeout`, and the next call works", async (t) => {
  const { server, clock, auth, expire } = await scene(t, { timeout: 4_321, retries: 0 });
  const held = server.holdRequest();
  expire();
  const caller = auth.getAccessToken();
  await held.arrived;
  await clock.asleep(4_321);
  clock.advance(4_321);
  const error = await rejects(caller, "TransientError", { code: "timeout", fault: "network", spent: "maybe" });
  clock.advance(error.retryAt - clock.now());
  const gone = new Promise((resolve) => server.oracle.once("presentation", resolve));
  const next = auth.getAccessToken();
  await gone;
  assert.equal(await server.isActive(await next), true);
});

test("N-11: the answer of a request that was given up does not come back to life", async (t) => {
  const { server, clock, auth, expire, counts } = await scene(t, { timeout: 4_321, retries: 0 });
  const held = server.holdReply();
  expire();
  const caller = auth.getAccessToken();
  await held.arrived;
  await clock.asleep(4_321);
  clock.advance(4_321);
  await rejects(caller, "TransientError", { code: "timeout" });
  held.release();
  clock.advance(60_000);
  await rejects(auth.getAccessToken(), "RevokedError", { reason: "response-lost" });
  assert.equal(counts().reuses, 1);
});

test("a caller's patience ends at `callTimeout`, and the refresh is kept all the same", async (t) => {
  const { server, clock, auth, expire, counts } = await scene(t, { timeout: 60_000, callTimeout: 5_432 });
  const held = server.holdReply();
  expire();
  const caller = auth.getAccessToken();
  await held.arrived;
  await clock.asleep(5_432);
  clock.advance(5_432);
  await rejects(caller, "TransientError", { spent: "maybe" });
  held.release();
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
  assert.equal(counts().rotations, 1);
  assert.equal(server.oracle.presentations, 1);
});

test("in successor mode: strict ends with `response-lost`, grace lives", async (t) => {
  for (const [personality, grace] of [[lostAfterRotation, 0], [graceAndLostAfterRotation, 60]]) {
    const [server, clock] = [await authorizationServer(t, personality), impatient()];
    const { tokens } = await server.signIn();
    const auth = coordinator(t, server, { clock, ...(grace && { grace }) });
    const renewed = auth.renew({ refreshToken: tokens.refresh_token });
    if (grace) assert.equal(await server.isAlive((await renewed).refreshToken), true);
    else await rejects(renewed, "RevokedError", { reason: "response-lost" });
    assert.equal(server.oracle.presentations, 2);
  }
});

test("in successor mode: a process dies with the reply; an hour later its token is still known to be spent, perhaps, and then to be over", async (t) => {
  const [server, clock] = [await authorizationServer(t), impatient()];
  const store = new TestStore(clock);
  const { tokens } = await server.signIn();
  const cookie = { refreshToken: tokens.refresh_token };
  const died = new Promise((resolve) => {
    const andDies = async (...request) => resolve(await fetch(...request)) ?? new Promise(() => {});
    coordinator(t, server, { store, clock: new Clock(), fetch: andDies }).renew(cookie).catch(() => {});
  });
  await died;
  const alive = coordinator(t, server, { store, clock });
  clock.advance(3_540_000);
  const told = alive.renew(cookie);
  // Nobody knows whether that process is gone: until its intent has ended.
  clock.advance(await clock.asleep(15_000));
  await rejects(told, "RevokedError", { reason: "response-lost" });
  assert.equal(server.oracle.presentations, 2);
  clock.advance(3_540_000);
  await rejects(alive.renew(cookie), "RevokedError", { reason: "response-lost" });
  assert.equal(server.oracle.presentations, 2);
});

test("two lost replies in a row are still no reason to give the session up", async (t) => {
  const { server, auth, expire, clock } = await scene(t, { personality: strict, clock: impatient(), retries: 1 });
  server.next(2, faults.dropBefore());
  expire();
  const error = await rejects(auth.getAccessToken(), "TransientError", { fault: "network", spent: "maybe" });
  assert.equal(auth.getSnapshot().status, "active");
  clock.advance(Math.max(0, error.retryAt - clock.now()) + 60_000);
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
});
