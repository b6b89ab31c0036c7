// One look at a page: its proxy, its layout and its page are each asked with the cookie of the request, and then its script comes with
// the cookie of the response. There is one rotation, and one set of tokens for all of them.

import assert from "node:assert/strict";
import test from "node:test";

import { jwtCallback } from "refresh-coordinator/next-auth";

import { likeTheGuide, withMapOfPromises } from "./other-callbacks.mjs";
import { LIFETIME, assertGood, goodOnes, rotations, scene, times } from "./scene.mjs";
import { WebApp } from "./web-app.mjs";

const others = [[likeTheGuide, "like the official guide"], [withMapOfPromises, "with a map of promises"]];

const views = {
  /** The proxy calls the callback, and sets a cookie; layout and page still see that of the request. */
  "Auth.js 5": async (app, components, cookies) => {
    const proxy = await app.request(cookies);
    const parts = await times(2, () => components.request(cookies));
    return [proxy, ...parts, await app.request(proxy.cookies)];
  },
  /** The proxy only reads, so that nobody sets a cookie before the script comes. */
  "next-auth 4": async (app, components, cookies) => {
    const parts = await times(2, () => components.request(cookies));
    return [...parts, await app.request(cookies)];
  },
};

for (const [version, view] of Object.entries(views)) {
  test(`${version}: every part has a good session, and there is one rotation`, async (t) => {
    const { auth, server, app, cookies, wait, counts } = await scene(t);
    const components = new WebApp(jwtCallback(auth, { canPersist: false }));
    wait(LIFETIME);
    await assertGood(server, await view(app, components, cookies));
    assert.deepEqual(counts(), rotations(1));
  });

  test(`${version}: the same for ten views at once, and for one that comes late`, async (t) => {
    const { auth, server, app, cookies, wait, counts } = await scene(t);
    const components = new WebApp(jwtCallback(auth, { canPersist: false }));
    wait(LIFETIME);
    const responses = (await times(10, () => view(app, components, cookies))).flat();
    wait(1_000);
    await assertGood(server, [...responses, ...(await view(app, components, cookies))]);
    assert.deepEqual(counts(), rotations(1));
  });

  for (const [byHand, name] of others) {
    test(`by contrast, ${version}, ${name}: one view, and the session is over`, async (t) => {
      const { server, app, cookies, wait, counts, session } = await scene(t, { byHand });
      wait(LIFETIME);
      const responses = await view(app, app, cookies);
      assert.ok(responses.some(({ session }) => session.error === "RefreshTokenError"));
      assert.equal(await goodOnes(server, responses), 0);
      assert.equal(await server.hasSession(session), false);
      assert.ok(counts().reuses > 0);
    });
  }
}
