// The access token has ended, and one browser's requests all bring the same cookie: at once, and some time after the first was
// answered. What is written by hand in the place of this package fails, each in its way.

import assert from "node:assert/strict";
import test from "node:test";

import { freshJwt, jwtCallback } from "refresh-coordinator/next-auth";

import { slow, strict } from "../authorization-server/personalities.mjs";
import { likeTheGuide, withMapOfPromises } from "./other-callbacks.mjs";
import { LIFETIME, assertGood, goodOnes, isGood, rotations, scene, times } from "./scene.mjs";
import { WebApp } from "./web-app.mjs";

const LATE = [[50, "50 ms"], [1_000, "1 s"], [30_000, "30 s"]];
const ours = { jwtCallback, freshJwt: (auth) => (params) => freshJwt(auth, params) };

for (const [name, callback] of Object.entries(ours)) {
  for (const personality of [strict, slow]) {
    test(`${name}, ${personality.name}: 50 requests at once, one rotation, 50 good sessions`, async (t) => {
      const { server, app, cookies, wait, counts } = await scene(t, { personality, callback });
      wait(LIFETIME);
      await assertGood(server, await times(50, () => app.request(cookies)));
      assert.deepEqual(counts(), rotations(1));
      assert.equal(server.oracle.presentations, 1);
      assert.deepEqual(app.errors, []);
    });
  }

  for (const [delay, said] of LATE) {
    test(`${name}: a request that brings the old cookie ${said} later goes on with the successor`, async (t) => {
      const { server, app, cookies, wait, counts } = await scene(t, { callback });
      wait(LIFETIME);
      const first = await app.request(cookies);
      wait(delay);
      await assertGood(server, [first, ...(await times(50, () => app.request(cookies)))]);
      assert.deepEqual(counts(), rotations(1));
    });
  }
}

test("two coordinators of one process, as two bundles of one app make them, share the rotation", async (t) => {
  const { server, client, app, cookies, wait, counts } = await scene(t);
  const { RefreshCoordinator } = await import("refresh-coordinator");
  const other = new RefreshCoordinator(client);
  t.after(() => other.close());
  const apps = [app, new WebApp(jwtCallback(other))];
  wait(LIFETIME);
  await assertGood(server, (await Promise.all(apps.map((app) => times(25, () => app.request(cookies))))).flat());
  assert.deepEqual(counts(), rotations(1));
});

test("the session goes on for five expiries, each met by 50 requests, half of them with the cookie before", async (t) => {
  const { server, app, cookies, wait, counts } = await scene(t);
  let [before, now] = [cookies, cookies];
  for (let expiry = 1; expiry <= 5; expiry += 1) {
    wait(LIFETIME);
    const responses = await times(50, (_, index) => app.request(index % 2 ? now : before));
    await assertGood(server, responses);
    assert.deepEqual(counts(), rotations(expiry));
    [before, now] = [now, responses[0].cookies];
  }
});

test("by contrast, like the official guide: 50 requests at once end the session", async (t) => {
  const { server, app, cookies, wait, counts } = await scene(t, { byHand: likeTheGuide });
  wait(LIFETIME);
  const responses = await times(50, () => app.request(cookies));
  assert.equal(await goodOnes(server, responses), 0);
  assert.ok(responses.some(({ session }) => session.error === "RefreshTokenError"));
  assert.ok(counts().reuses > 0 && counts().revocations > 0, "the server takes it for theft");
});

test("by contrast, with a map of promises: 50 requests at once fare well", async (t) => {
  const { server, app, cookies, wait, counts } = await scene(t, { byHand: withMapOfPromises });
  wait(LIFETIME);
  assert.equal(await goodOnes(server, await times(50, () => app.request(cookies))), 50);
  assert.equal(counts().rotations, 1);
});

for (const [make, name] of [[likeTheGuide, "like the official guide"], [withMapOfPromises, "with a map of promises"]]) {
  for (const [delay, said] of LATE) {
    test(`by contrast, ${name}: a request that brings the old cookie ${said} later ends the session of both`, async (t) => {
      const { server, app, cookies, wait, counts } = await scene(t, { byHand: make });
      wait(LIFETIME);
      const first = await app.request(cookies);
      assert.equal(await isGood(server, first), true);
      wait(delay);
      const late = await app.request(cookies);
      assert.equal(late.session.error, "RefreshTokenError");
      assert.equal(await goodOnes(server, [first, late]), 0, "the first one's new tokens are revoked as well");
      assert.equal(counts().reuses, 1);
    });
  }
}
