// The three forms of `refresh`: something newer, something that is not this, something minted after now.

import assert from "node:assert/strict";
import test from "node:test";

import { memoryStore } from "refresh-coordinator";

import { oauthError } from "../authorization-server/faults.mjs";
import { rejection, rejects } from "./errors.mjs";
import { coordinator, scene, times } from "./scene.mjs";

test("refresh(): newer than what was last handed out, one after the other", async (t) => {
  const { server, auth, before, counts } = await scene(t);
  const seen = new Set([before.accessToken]);
  for (let round = 1; round <= 3; round += 1) {
    seen.add((await auth.refresh()).accessToken);
    assert.equal(counts().rotations, round);
  }
  assert.equal(seen.size, 4);
  assert.equal(server.oracle.presentations, 3);
});

test("IM-05: refresh(): at once, for many", async (t) => {
  const { server, auth } = await scene(t);
  const promises = times(1_000, () => auth.refresh());
  assert.equal(new Set(promises).size, 1);
  await promises[0];
  assert.equal(server.oracle.presentations, 1);
});

test("refresh(): what another coordinator got in the meantime is newer, and needs no request", async (t) => {
  const store = memoryStore();
  const { server, clock, auth } = await scene(t, { store });
  const other = coordinator(t, server, { clock, store });
  await other.getTokens();
  const theirs = await auth.refresh();
  assert.deepEqual(await other.refresh(), theirs);
  assert.equal(server.oracle.presentations, 1);
});

test("refresh({ rejected }): the current token was refused, so one refresh", async (t) => {
  const { server, auth, before } = await scene(t);
  const rejected = before.accessToken;
  const promises = times(1_000, () => auth.refresh({ rejected }));
  assert.equal(new Set(promises).size, 1);
  const renewed = await promises[0];
  assert.notEqual(renewed.accessToken, rejected);
  assert.equal(server.oracle.presentations, 1);
  assert.deepEqual(await auth.refresh({ rejected }), renewed, "it is no longer the current one");
  assert.equal(server.oracle.presentations, 1);
});

test("IM-C12: refresh({ rejected }): the refused token is not served to others while the refresh runs", async (t) => {
  const { server, auth, before } = await scene(t);
  const held = server.holdReply();
  const renewing = auth.refresh({ rejected: before.accessToken });
  await held.arrived;
  const plain = auth.getAccessToken();
  held.release();
  assert.equal(await plain, (await renewing).accessToken);
  assert.equal(server.oracle.presentations, 1);
});

test("refresh({ rejected }): a token nobody has heard of is not the current one", async (t) => {
  const { server, auth, before } = await scene(t);
  assert.deepEqual(await auth.refresh({ rejected: "some other token" }), before);
  assert.equal(server.oracle.presentations, 0);
});

test("refresh({ rejected }) with something that is no token", async (t) => {
  const { server, auth } = await scene(t);
  for (const rejected of [5, null, {}]) {
    const error = await rejection(new Promise((resolve) => resolve(auth.refresh({ rejected }))));
    assert.ok(["ConfigurationError", "TypeError"].includes(error.name), String(error));
  }
  assert.equal(server.oracle.presentations, 0);
});

test("refresh({ mintedAfterNow }): joins no request that is already on its way", async (t) => {
  const { server, auth, expire, counts } = await scene(t);
  expire();
  const first = server.holdRequest();
  const plain = auth.getTokens();
  await first.arrived;
  const [minted, again] = [auth.refresh({ mintedAfterNow: true }), auth.refresh({ mintedAfterNow: true })];
  assert.equal(minted, again, "those two may share: neither request is sent yet");
  first.release();
  assert.notEqual((await minted).accessToken, (await plain).accessToken);
  assert.equal(counts().rotations, 2);
  assert.equal(server.oracle.presentations, 2);
  assert.equal(counts().reuses, 0);
});

test("refresh(): newer than what was handed out from memory, and came there by a look at what somebody else has stored", async (t) => {
  const store = memoryStore();
  const { server, clock, auth, counts } = await scene(t, { store });
  const other = coordinator(t, server, { clock, store });
  await other.getTokens();
  const looked = new Promise((resolve) => {
    other.subscribe(() => other.getSnapshot().generation === 1 && resolve());
  });
  const theirs = await auth.refresh();
  await looked;
  // A turn of the event loop: what was told of is kept.
  await new Promise(setImmediate);
  assert.equal((await other.getTokens()).accessToken, theirs.accessToken);
  assert.notEqual((await other.refresh()).accessToken, theirs.accessToken);
  assert.equal(counts().rotations, 2);
});

test("refresh({ mintedAfterNow }): never met by adopting", async (t) => {
  const store = memoryStore();
  const { server, clock, auth, counts } = await scene(t, { store });
  const other = coordinator(t, server, { clock, store });
  await other.getTokens();
  const [mine, theirs] = await Promise.all([auth.refresh({ mintedAfterNow: true }), other.refresh({ mintedAfterNow: true })]);
  assert.notEqual(mine.accessToken, theirs.accessToken);
  assert.equal(counts().rotations, 2);
  assert.equal(counts().reuses, 0);
});

test("refresh({ mintedAfterNow }): one after the other, each its own exchange", async (t) => {
  const { auth, counts } = await scene(t);
  const tokens = [];
  for (let round = 0; round < 3; round += 1) tokens.push((await auth.refresh({ mintedAfterNow: true })).accessToken);
  assert.equal(new Set(tokens).size, 3);
  assert.equal(counts().rotations, 3);
});

test("a refresh that is refused for good ends the session, also with a valid access token", async (t) => {
  const { server, auth } = await scene(t, { retries: 0 });
  server.next(1, oauthError("invalid_grant"));
  await rejects(auth.refresh(), "RevokedError");
  await rejects(auth.getAccessToken(), "RevokedError");
});

for (const [given, named] of [[{ reject: "A" }, /`reject`/], ["A", /`refresh` takes an object/], [new AbortController().signal, /\{ signal \}|option/]]) {
  test(`an argument that would cause a rotation by mistake is refused: ${named}`, async (t) => {
    const { auth, server } = await scene(t);
    const error = await rejects(auth.refresh(given), "ConfigurationError", { code: "wrong-argument" });
    assert.match(error.message, named);
    assert.equal(server.oracle.presentations, 0);
  });
}

test("a signal in the place of the options is explained", async (t) => {
  const { auth } = await scene(t);
  const error = await rejects(auth.getTokens(new AbortController().signal), "ConfigurationError", { code: "wrong-argument" });
  assert.match(error.message, /\{ signal \}/);
});
