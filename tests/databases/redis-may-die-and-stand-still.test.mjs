// Redis is killed and comes back, or stands still for a while: what callers are told, that nothing is presented twice and nothing
// lost, and that everything goes on by itself.

import assert from "node:assert/strict";
import test from "node:test";

import { RefreshCoordinator, StoreError } from "refresh-coordinator";

import { PUBLIC_CLIENT, startAuthorizationServer } from "../authorization-server/provider.mjs";
import { WAYS } from "./connect.mjs";
import { startRedis } from "./redis-server.mjs";
import { startUpstashFront } from "./upstash-front.mjs";

const SEAL_KEY = "at least sixteen characters";
/** Short, so that who is told that the store is away is told soon. */
const PATIENCE = 250;

/** A real Redis, a real authorization server, and coordinators on clients of their own. */
async function scene(t, way) {
  const redis = await startRedis(t);
  const server = await startAuthorizationServer();
  t.after(() => server.close());
  const address = way === "@upstash/redis" ? await startUpstashFront(t, redis.url) : redis;
  const { tokens, session } = await server.signIn();
  async function coordinator(options) {
    const { store, close } = await WAYS[way](address);
    const auth = new RefreshCoordinator({
      ...{ clientId: PUBLIC_CLIENT, tokenEndpoint: server.tokenEndpoint, store, sealKey: SEAL_KEY, storeTimeout: PATIENCE, retries: 0 },
      ...options,
    });
    t.after(() => (auth.close(), close()));
    return auth;
  }
  const counts = () => server.oracle.counts(session);
  return { redis, server, tokens, coordinator, counts };
}

const rotatedOnce = { granted: 1, refused: 0, rotations: 1, reuses: 0, revocations: 0, signOuts: 0 };

/** Settles with the next event of this type. */
const event = (auth, type) => new Promise((resolve) => auth.subscribe((event) => event?.type === type && resolve()));

/** Asks until the store is there again. Every refusal on the way must be a typed one that is worth another try. */
async function insist(call) {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      assert.equal(error.retryable, true, `${error.name} ${error.code}: ${error.message}`);
    }
  }
}

const isStoreError = (error) => {
  assert.ok(error instanceof StoreError, `${error.name}: ${error.message}`);
  assert.equal(error.retryable, true);
  assert.equal(error.signInRequired, false);
  return true;
};

for (const way of ["node-redis", "ioredis", "@upstash/redis"]) {
  test(`${way}: Redis dies between the rotation and the commit, and comes back: the new token is not lost`, async (t) => {
    const { redis, server, tokens, coordinator, counts } = await scene(t, way);
    const [one, other] = [await coordinator(), await coordinator()];
    const [failed, stored] = [event(one, "store-failed"), event(one, "refreshed")];
    const before = await one.setTokens(tokens);
    assert.equal(await other.getAccessToken(), before.accessToken);
    const held = server.holdReply();
    const refreshing = one.refresh({ rejected: before.accessToken });
    await held.arrived;
    await redis.kill();
    held.release();
    // Whoever asked has the tokens, although they are not stored yet.
    const after = await refreshing;
    assert.notEqual(after.accessToken, before.accessToken);
    await redis.start();
    const adopted = await insist(() => other.refresh({ rejected: before.accessToken }));
    assert.equal(adopted.accessToken, after.accessToken);
    assert.deepEqual(counts(), rotatedOnce);
    assert.equal(await server.isAlive(after.refreshToken), true);
    // It goes on trying until it knows, and says so.
    await Promise.all([failed, stored]);
  });

  test(`${way}: while Redis is away nothing is presented; with it back one refresh serves everybody`, async (t) => {
    const { redis, server, tokens, coordinator, counts } = await scene(t, way);
    const [one, other] = [await coordinator(), await coordinator()];
    const before = await one.setTokens(tokens);
    assert.equal(await other.getAccessToken(), before.accessToken);
    await redis.kill();
    for (const auth of [one, other]) await assert.rejects(() => auth.refresh({ rejected: before.accessToken }), isStoreError);
    assert.equal(server.oracle.presentations, 0);
    await redis.start();
    const got = await Promise.all([one, other].map((auth) => insist(() => auth.refresh({ rejected: before.accessToken }))));
    assert.equal(got[0].accessToken, got[1].accessToken);
    assert.deepEqual(counts(), rotatedOnce);
  });

  test(`${way}: Redis stands still for a while: callers are told in time, and then everything goes on`, async (t) => {
    const { redis, server, tokens, coordinator, counts } = await scene(t, way);
    const [one, other] = [await coordinator(), await coordinator()];
    const before = await one.setTokens(tokens);
    await other.getAccessToken();
    redis.pause();
    await assert.rejects(
      () => one.refresh({ rejected: before.accessToken }),
      (error) => isStoreError(error) && error.code === "store-timeout",
    );
    await assert.rejects(() => other.renew({ refresh_token: "carried elsewhere" }), isStoreError);
    assert.equal(server.oracle.presentations, 0);
    redis.resume();
    const got = await Promise.all([one, other].map((auth) => insist(() => auth.refresh({ rejected: before.accessToken }))));
    assert.equal(got[0].accessToken, got[1].accessToken);
    assert.deepEqual(counts(), rotatedOnce);
  });
}

test("who is allowed to go on without the store does, once; and stores it when Redis is back", async (t) => {
  const { redis, server, tokens, coordinator, counts } = await scene(t, "node-redis");
  const [one, other] = [await coordinator({ onStoreFailure: "open" }), await coordinator()];
  const before = await one.setTokens(tokens);
  assert.equal(await other.getAccessToken(), before.accessToken);
  await redis.kill();
  const after = await one.refresh({ rejected: before.accessToken });
  assert.notEqual(after.accessToken, before.accessToken);
  assert.equal(server.oracle.presentations, 1);
  const stored = event(one, "refreshed");
  await redis.start();
  // Until then the other one would take the old token for the living one: the price of going on without the store.
  await stored;
  const adopted = await insist(() => other.refresh({ rejected: before.accessToken }));
  assert.equal(adopted.accessToken, after.accessToken);
  assert.deepEqual(counts(), rotatedOnce);
});
