// While a Server Component renders, no cookie can be set: the browser comes back with the old one, perhaps much later. What was
// rotated there must not be lost, for nobody but the store has it.

import assert from "node:assert/strict";
import test from "node:test";

import { jwtCallback } from "refresh-coordinator/next-auth";

import { TestStore } from "../node/store.mjs";
import { likeTheGuide, withMapOfPromises } from "./other-callbacks.mjs";
import { LIFETIME, assertGood, goodOnes, rotations, scene, times } from "./scene.mjs";
import { WebApp } from "./web-app.mjs";

const HOUR = 3_600_000;

/** An app whose pages are rendered by Server Components, beside one whose routes set cookies. */
async function rendering(t) {
  const store = new TestStore({ now: () => Date.now() });
  const all = await scene(t, { store });
  return { ...all, components: new WebApp(jwtCallback(all.auth, { canPersist: false })) };
}

test("a layout and a page, each with the cookie of the request, and then a route: one rotation", async (t) => {
  const { server, app, components, cookies, wait, counts } = await rendering(t);
  wait(LIFETIME);
  const view = await times(5, () => components.request(cookies));
  const route = await app.request(cookies);
  await assertGood(server, [...view, route]);
  assert.deepEqual(counts(), rotations(1));
});

for (const [delay, said] of [[LIFETIME, "when the next access token has ended"], [2 * HOUR, "two hours"], [20 * HOUR, "twenty hours"]]) {
  test(`the next request with the old cookie comes ${said} later: it follows the successor`, async (t) => {
    const { server, app, components, cookies, wait, counts } = await rendering(t);
    wait(LIFETIME);
    await components.request(cookies);
    wait(delay);
    await assertGood(server, [await app.request(cookies)]);
    assert.deepEqual(counts(), rotations(2));
  });
}

test("an app of Server Components only goes on with the cookie of the sign-in for a day", async (t) => {
  const { server, components, cookies, wait, counts } = await rendering(t);
  for (let hour = 1; hour <= 23; hour += 1) {
    wait(HOUR);
    const { session } = await components.request(cookies);
    assert.equal(session.error, undefined, `after ${hour} hours`);
    assert.equal(await server.isActive(session.accessToken), true);
    assert.equal(counts().rotations, hour);
  }
  assert.equal(counts().reuses, 0);
});

test("by contrast: where it is not said that no cookie can be set, the successor is forgotten with its access token", async (t) => {
  const { app, cookies, wait, counts } = await rendering(t);
  wait(LIFETIME);
  await app.request(cookies);
  wait(2 * HOUR);
  assert.deepEqual((await app.request(cookies)).session.error, { code: "revoked" });
  assert.equal(counts().reuses, 0, "but it is not presented");
});

for (const [byHand, name] of [[likeTheGuide, "like the official guide"], [withMapOfPromises, "with a map of promises"]]) {
  test(`by contrast, ${name}: what one page rotated is lost, and the next request ends the session`, async (t) => {
    const { server, app, cookies, wait, counts } = await scene(t, { byHand });
    wait(LIFETIME);
    const page = await app.request(cookies);
    assert.equal(await goodOnes(server, [page]), 1);
    const route = await app.request(cookies);
    assert.equal(await goodOnes(server, [page, route]), 0);
    assert.equal(counts().revocations, 1);
  });
}
