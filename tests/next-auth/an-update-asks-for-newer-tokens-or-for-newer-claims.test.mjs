// `update(data)` of a page demands tokens although those in the cookie are valid. Two meanings, which must not be confused: another
// access token, whoever obtained it; and one that was minted after the call, because the user's claims have changed.

import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";

import { jwtCallback } from "refresh-coordinator/next-auth";

import { oauthError, unavailable } from "../authorization-server/faults.mjs";
import { nonRotating } from "../authorization-server/personalities.mjs";
import { LIFETIME, assertGood, rotations, scene, times } from "./scene.mjs";

const NEWER = { refresh: "newer" };
const MINTED = { refresh: "minted-after-now" };

for (const data of [{}, NEWER, { name: "Grace" }, { refresh: "now" }]) {
  test(`update(${JSON.stringify(data)}): 20 at once, one rotation, and not the token they had`, async (t) => {
    const { server, app, cookies, held, counts } = await scene(t);
    const responses = await times(20, () => app.update(cookies, data));
    await assertGood(server, responses);
    assert.notEqual(responses[0].session.accessToken, held.accessToken);
    assert.deepEqual(counts(), rotations(1));
  });
}

test("newer: with the old cookie, the successor is newer already", async (t) => {
  const { server, app, cookies, wait, counts } = await scene(t);
  wait(LIFETIME);
  const first = await app.request(cookies);
  await assertGood(server, [first, await app.update(cookies, NEWER), await app.update(cookies, {})]);
  assert.deepEqual(counts(), rotations(1));

  const second = await app.update(first.cookies, NEWER);
  assert.notEqual(second.session.accessToken, first.session.accessToken, "with the new cookie it is not");
  assert.deepEqual(counts(), rotations(2));
  await assertGood(server, [second]);

  // Who comes with an older cookie may be served by any token that is valid, and goes on with all others when that has ended.
  const old = await app.request(cookies);
  assert.equal(await server.isActive(old.session.accessToken), true);
  wait(LIFETIME);
  await assertGood(server, [await app.request(second.cookies), await app.request(old.cookies), await app.request(cookies)]);
  assert.deepEqual(counts(), rotations(3));
});

test("newer, on a server that does not rotate: not the token in the cookie, although it is the newest there is", async (t) => {
  const { server, app, cookies } = await scene(t, { personality: nonRotating });
  const first = await app.update(cookies, NEWER);
  const second = await app.update(first.cookies, NEWER);
  assert.equal(new Set([first, second].map(({ session }) => session.accessToken)).size, 2);
  assert.equal(server.oracle.presentations, 2);
  assert.equal((await app.update(first.cookies, NEWER)).session.accessToken, second.session.accessToken);
  assert.equal(server.oracle.presentations, 2);
});

test("minted after now: an exchange that was sent before does not count, and is not disturbed", async (t) => {
  const { server, app, cookies, wait, counts } = await scene(t);
  wait(LIFETIME);
  const reply = server.holdReply();
  const earlier = app.request(cookies);
  await reply.arrived;
  // The server has minted the tokens of the first request; now the user's claims change.
  const minted = times(10, () => app.update(cookies, MINTED));
  const newer = app.update(cookies, NEWER);
  const second = once(server.oracle, "presentation");
  reply.release();
  await second;
  const [first, after, joined] = [await earlier, await minted, await newer];
  await assertGood(server, after);
  assert.notEqual(after[0].session.accessToken, first.session.accessToken);
  assert.equal(joined.session.error, undefined);
  assert.deepEqual(counts(), rotations(2), "two exchanges, one after the other");
});

test("minted after now: a successor that is there already does not count", async (t) => {
  const { server, app, cookies, wait, counts } = await scene(t);
  wait(LIFETIME);
  const first = await app.request(cookies);
  const late = await app.update(cookies, MINTED);
  assert.notEqual(late.session.accessToken, first.session.accessToken);
  assert.deepEqual(counts(), rotations(2));
  await assertGood(server, [late]);
});

test("the app decides what an update means", async (t) => {
  const update = (data) => (data.role === undefined ? "valid" : "minted-after-now");
  const { server, app, cookies, held, counts } = await scene(t, { callback: (auth) => jwtCallback(auth, { update }) });
  const plain = await app.update(cookies, { name: "Grace", refresh: "newer" });
  assert.equal(plain.session.accessToken, held.accessToken);
  assert.equal(server.oracle.presentations, 0);
  await assertGood(server, [await app.update(cookies, { role: "admin" })]);
  assert.deepEqual(counts(), rotations(1));
});

test("an outage in mid-update: the valid token stays, without an error, for this request and for the others", async (t) => {
  const { server, app, cookies, held } = await scene(t);
  server.next(Infinity, unavailable());
  for (const response of [await app.update(cookies, NEWER), await app.update(cookies, MINTED), await app.request(cookies)]) {
    assert.equal(response.session.accessToken, held.accessToken);
    assert.equal("error" in response.session, false);
  }
});

test("an update that learns that the session is over says so, although the access token is valid by the clock", async (t) => {
  const { server, app, cookies } = await scene(t);
  server.next(Infinity, oauthError("invalid_grant"));
  const told = await app.update(cookies, NEWER);
  assert.deepEqual(told.session.error, { code: "revoked" });
  assert.deepEqual((await app.request(told.cookies)).session.error, { code: "revoked" }, "and it is not forgotten");
});
