// The promise of the package, at its plainest.

import assert from "node:assert/strict";
import test from "node:test";

import { slow, strict } from "../authorization-server/personalities.mjs";
import { scene, times } from "./scene.mjs";

const CALLERS = 10_000;

for (const personality of [strict, slow]) {
  test(`MM-10 IM-01 IM-C7: ${CALLERS} callers at one expiry on a ${personality.name} server`, async (t) => {
    const { server, auth, before, expire, counts } = await scene(t, { personality });
    expire();
    const promises = times(CALLERS, () => auth.getAccessToken());
    assert.equal(new Set(promises).size, 1, "all of them hold the identical promise");
    const tokens = new Set(await Promise.all(promises));
    assert.equal(tokens.size, 1);
    const [token] = tokens;
    assert.notEqual(token, before.accessToken);
    assert.equal(await server.isActive(token), true);
    assert.deepEqual(counts(), { granted: 1, refused: 0, rotations: 1, reuses: 0, revocations: 0, signOuts: 0 });
    assert.equal(server.oracle.presentations, 1);
    const { refreshToken } = await auth.getTokens();
    assert.equal(await server.isAlive(refreshToken), true);
    assert.equal(await auth.getAccessToken(), token);
    assert.equal(server.oracle.presentations, 1, "and those who come later need no request");
  });
}

test(`${CALLERS} callers with a cookie of their own, in successor mode`, async (t) => {
  const { server, auth, tokens, expire, counts } = await scene(t);
  const carried = { refreshToken: tokens.refresh_token };
  expire();
  const promises = times(CALLERS, () => auth.renew({ ...carried }));
  assert.equal(new Set(promises).size, 1, "all of them hold the identical promise");
  const successor = await promises[0];
  assert.equal(counts().rotations, 1);
  assert.equal(server.oracle.presentations, 1);
  assert.equal(await server.isAlive(successor.refreshToken), true);
});

test("IM-02: expiry after expiry, each time one rotation", async (t) => {
  const { server, auth, expire, counts } = await scene(t);
  for (let round = 1; round <= 5; round += 1) {
    expire();
    await Promise.all(times(200, () => auth.getTokens()));
    assert.equal(counts().rotations, round);
    assert.equal(auth.getSnapshot().generation, round);
  }
  assert.equal(counts().reuses, 0);
  assert.equal(server.oracle.presentations, 5);
});

test("members that ask for the same share the flight", async (t) => {
  const { auth, expire, counts, server } = await scene(t);
  expire();
  const [token, set, ran] = await Promise.all([auth.getAccessToken(), auth.getTokens(), auth.run((token) => token)]);
  assert.equal(set.accessToken, token);
  assert.equal(ran?.accessToken ?? ran, token);
  assert.equal(counts().rotations, 1);
  assert.equal(server.oracle.presentations, 1);
});

test("the statistics tell how many presentations were saved", async (t) => {
  const { auth, expire } = await scene(t);
  expire();
  await Promise.all(times(100, () => auth.getTokens()));
  const stats = auth.stats();
  assert.equal(stats.presentations, 1);
  assert.equal(stats.joins, 99);
  assert.equal(stats.presentationsSaved, 99);
});
