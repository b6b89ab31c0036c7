// Fresh: served. Advisory window: served, and refreshed behind the caller's back. Mandatory window: callers wait.

import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";

import { unavailable } from "../authorization-server/faults.mjs";
import { Clock } from "./clock.mjs";
import { coordinator, LIFETIME, authorizationServer, scene, times } from "./scene.mjs";

/** Until the coordinator has taken the answer of a background refresh. */
const newGeneration = (auth, generation) =>
  new Promise((resolve) => {
    const stop = auth.subscribe(() => {
      if (auth.getSnapshot().generation !== generation || auth.getSnapshot().status !== "active") return;
      stop();
      resolve();
    });
  });

test("fresh to the last millisecond before the advisory window", async (t) => {
  const { server, clock, auth, before } = await scene(t);
  clock.advance(LIFETIME - 75_000 - 1);
  assert.equal(await auth.getAccessToken(), before.accessToken);
  await new Promise(setImmediate);
  assert.equal(server.oracle.presentations, 0);
});

test("in the advisory window: the old token at once, one refresh in the background, then the new one", async (t) => {
  const { server, clock, auth, before } = await scene(t);
  const held = server.holdReply();
  clock.advance(LIFETIME - 74_000);
  const served = await Promise.all(times(1_000, () => auth.getAccessToken()));
  assert.deepEqual(new Set(served), new Set([before.accessToken]), "nobody waited for the server");
  await held.arrived;
  const refreshed = newGeneration(auth, 1);
  held.release();
  await refreshed;
  assert.notEqual(await auth.getAccessToken(), before.accessToken);
  assert.equal(server.oracle.presentations, 1);
});

test("in the mandatory window callers wait", async (t) => {
  const { server, clock, auth, before } = await scene(t);
  clock.advance(LIFETIME - 9_000);
  assert.notEqual(await auth.getAccessToken(), before.accessToken);
  assert.equal(server.oracle.presentations, 1);
});

test("in the mandatory window, and the server is away: the token that is still valid is served", async (t) => {
  const { server, clock, auth, before } = await scene(t, { retries: 0 });
  clock.advance(LIFETIME - 9_000);
  server.next(1, unavailable());
  assert.equal(await auth.getAccessToken(), before.accessToken);
});

test("both windows can be chosen", async (t) => {
  const { server, clock, auth, before } = await scene(t, { mandatoryWindow: 60_000, advisoryWindow: 60_000 });
  clock.advance(LIFETIME - 60_001);
  assert.equal(await auth.getAccessToken(), before.accessToken);
  await new Promise(setImmediate);
  assert.equal(server.oracle.presentations, 0);
  clock.advance(2);
  assert.notEqual(await auth.getAccessToken(), before.accessToken);
  assert.equal(server.oracle.presentations, 1);
});

test("without windows a token is served until it ends", async (t) => {
  const { server, clock, auth, before } = await scene(t, { mandatoryWindow: 0, advisoryWindow: 0 });
  clock.advance(LIFETIME - 1);
  assert.equal(await auth.getAccessToken(), before.accessToken);
  await new Promise(setImmediate);
  assert.equal(server.oracle.presentations, 0);
  clock.advance(1);
  assert.notEqual(await auth.getAccessToken(), before.accessToken);
});

test("windows longer than the life of the token do not refresh without end", async (t) => {
  const { server, auth } = await scene(t, { mandatoryWindow: 3_600_000, advisoryWindow: 3_600_000 });
  for (let call = 0; call < 20; call += 1) await auth.getAccessToken();
  assert.ok(server.oracle.presentations <= 1, `${server.oracle.presentations} presentations for 20 calls`);
});

test("a background refresh that fails leaves everybody in peace", async (t) => {
  const { server, clock, auth, before } = await scene(t, { retries: 0 });
  const unhandled = [];
  const listener = (reason) => unhandled.push(reason);
  process.on("unhandledRejection", listener);
  t.after(() => process.off("unhandledRejection", listener));
  clock.advance(LIFETIME - 74_000);
  server.next(100, unavailable());
  const asked = once(server.oracle, "presentation");
  const failed = new Promise((resolve) => auth.subscribe((event) => event?.type === "transient" && resolve()));
  assert.equal(await auth.getAccessToken(), before.accessToken);
  await asked;
  await failed;
  for (let call = 0; call < 50; call += 1) assert.equal(await auth.getAccessToken(), before.accessToken);
  await new Promise(setImmediate);
  assert.deepEqual(unhandled, []);
  assert.equal(server.oracle.presentations, 1, "a cool-down is a cool-down in the background too");
  assert.equal(auth.getSnapshot().status, "active");
});

test("a lifetime that nobody tells: `unknownLifetime`, or the `exp` of a JWT", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const auth = coordinator(t, server, { clock, unknownLifetime: 90_000 });
  assert.equal((await auth.setTokens({ access_token: "opaque", refresh_token: "R" })).expiresAt, clock.now() + 90_000);
  const exp = Math.floor(clock.now() / 1_000) + 30;
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const jwt = `${part({ alg: "none" })}.${part({ exp, iat: exp - 60 })}.signature`;
  assert.equal((await auth.setTokens({ access_token: jwt, refresh_token: "R2" })).expiresAt, exp * 1_000);
});

test("in `renew` there is no advisory window: a token is good or it is not", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const auth = coordinator(t, server, { clock });
  const { tokens } = await server.signIn();
  const first = await auth.renew({ refreshToken: tokens.refresh_token });
  clock.advance(LIFETIME - 60_000);
  assert.deepEqual(await auth.renew(first), first);
  await new Promise(setImmediate);
  assert.equal(server.oracle.presentations, 1);
});

test("`waitUntil` is given what is still to be done, and may be of any shape", async (t) => {
  for (const waitUntil of [
    (promise, all) => all.push(promise),
    () => {
      throw new Error("the response is over");
    },
    () => 5,
  ]) {
    const promises = [];
    const { server, auth, expire } = await scene(t, { waitUntil: (promise) => waitUntil(promise, promises) });
    expire();
    assert.equal(await server.isActive(await auth.getAccessToken()), true);
    for (const outcome of await Promise.allSettled(promises)) assert.equal(outcome.status, "fulfilled");
  }
});
