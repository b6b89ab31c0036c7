// A flight that ends leaves a newer one its place; a queue that cannot be worked off is bounded, and delays nobody.

import assert from "node:assert/strict";
import test from "node:test";

import { answer, unavailable } from "../authorization-server/faults.mjs";
import { scene } from "../node/scene.mjs";
import { refreshAndRotate, rotate, twoSteps, unpack } from "./two-steps.mjs";

/** How many tokens may wait for their revocation; beyond it the oldest is given up. */
const QUEUE = 16;

test("N-20: a flight ends while a newer one runs: those who come then join the newer one, and it is one request", async (t) => {
  const { server, auth, expire } = await scene(t);
  expire();
  const [first, second] = [server.holdReply(), server.holdReply()];
  const older = auth.refresh({ mintedAfterNow: true });
  await first.arrived;
  const newer = auth.refresh({ mintedAfterNow: true });
  assert.notEqual(newer, older, "the older request has left before the newer one was asked for");
  first.release();
  await older;
  assert.equal(auth.refresh({ mintedAfterNow: true }), newer, "its place was not taken away");
  await second.arrived;
  second.release();
  assert.notEqual((await newer).accessToken, (await older).accessToken);
  assert.equal(server.oracle.presentations, 2);
});

test("N-20: a refusal leaves no flight behind: the next call asks anew", async (t) => {
  const { server, auth, clock, expire } = await scene(t, { retries: 0 });
  expire();
  server.next(1, unavailable());
  const failed = auth.getAccessToken();
  const { retryAt } = await failed.catch((error) => error);
  clock.advance(retryAt - clock.now());
  const next = auth.getAccessToken();
  assert.notEqual(next, failed);
  assert.equal(await server.isActive(await next), true);
});

test("N-22: a revocation that always fails: refreshes go on, each tries the queue once, and the queue has an end", async (t) => {
  const { server, auth, clock } = await twoSteps(t);
  const refuse = answer(400, { error: "unsupported_token_type" });
  const rounds = 18;
  let requests = 0;
  server.next(Infinity, (context, next) => ((requests += 1), refuse(context, next)), "pairRevocation");
  for (let round = 1; round <= rounds; round += 1) {
    clock.advance(1_000);
    const { accessToken } = await refreshAndRotate(auth);
    assert.equal(await server.isActive(accessToken), true);
    // A run behind each exchange, one after the other; a run that is due already will do for both.
    assert.ok(requests <= 3 * Math.min(round, QUEUE), `${requests} requests in round ${round}`);
    requests = 0;
  }
  assert.equal((await auth.drainRevocations()).left, QUEUE);
});

test("N-22: a revocation that hangs: the next rotation does not wait for it", async (t) => {
  const { server, auth } = await twoSteps(t);
  const held = server.holdRequest("pairRevocation");
  await rotate(auth);
  await held.arrived;
  const before = unpack((await auth.getTokens()).refreshToken);
  await refreshAndRotate(auth);
  const after = unpack((await auth.getTokens()).refreshToken);
  assert.notEqual(after.revokeToken, before.revokeToken);
  held.release();
  assert.equal((await auth.drainRevocations()).left, 0);
  assert.equal(await server.isAlive(after.refreshToken), true);
});
