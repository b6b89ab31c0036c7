// A session in a file whose key is in a keyring, and a keyring that is not there, goes away, loses the key or lies.

import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import test from "node:test";

import { RefreshCoordinator } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";
import { keyringStore } from "refresh-coordinator/stores/keyring";

import { rejects } from "../node/errors.mjs";
import { entriesIn } from "./keyring/entries.mjs";
import { eventsOf, scene, SERVICE } from "./keyring/scene.mjs";

/** A process that has just begun would take over what is there. */
const NEW = { mintedAfterNow: true };

const refusing = () => () => {
  throw new Error("there is no keyring");
};

/** Takes what it is told, and gives something else back. */
const lying = (folder) => (service, account) => ({
  ...entriesIn(folder)(service, account),
  getPassword: async () => "something else",
});

test("no token is in the file, and a refresh changes nothing in the keyring", async (t) => {
  const { server, another, entries, assertSealed, text, path, options } = await scene(t);
  await assertSealed();
  const before = await entries();
  assert.equal(before.length, 1);
  const token = await another().getAccessToken();
  assert.equal(await server.isActive(token), true);
  await assertSealed();
  assert.deepEqual(await entries(), before);
  for (const [, key] of before) assert.equal((await text()).includes(key), false);
  // Whoever comes without the keyring can do nothing with it.
  const without = new RefreshCoordinator({ ...options, store: fileStore(path) });
  t.after(() => without.close());
  await rejects(without.getAccessToken(), "StoreError");
  assert.equal(server.oracle.presentations, 1);
});

test("sixteen coordinators, each with a store of its own: one rotation", async (t) => {
  const { server, another, assertSealed, counts } = await scene(t);
  const held = server.holdReply();
  const all = Array.from({ length: 16 }, () => another().getAccessToken());
  await held.arrived;
  held.release();
  assert.equal(new Set(await Promise.all(all)).size, 1);
  assert.equal(server.oracle.presentations, 1);
  assert.equal(counts().rotations, 1);
  await assertSealed();
});

for (const [title, entry] of [["there is no keyring", refusing], ["the keyring does not return what it was told", lying]]) {
  test(`${title}: the file has the tokens, which is said; the next process with a keyring seals them`, async (t) => {
    const { server, text, another, assertSealed, storeAt, options } = await scene(t, { entry });
    const signIn = new RefreshCoordinator({ ...options, session: "another one", store: storeAt(entry) });
    t.after(() => signIn.close());
    const events = eventsOf(signIn);
    const { tokens } = await server.signIn();
    await signIn.setTokens(tokens);
    assert.ok((await text()).includes(tokens.refresh_token));
    await new Promise(setImmediate);
    assert.deepEqual(events.filter((event) => event.startsWith("degraded")), ["degraded keyring"]);
    // It goes on without.
    assert.equal(await server.isActive((await signIn.refresh()).accessToken), true);

    const [later, first] = [new RefreshCoordinator({ ...options, session: "another one", store: storeAt() }), another()];
    t.after(() => later.close());
    await Promise.all([later.refresh(NEW), first.refresh(NEW)]);
    await assertSealed();
    assert.equal(server.oracle.counts().reuses, 0);
  });
}

test("a keyring that fails later: who knows the key goes on, everybody else waits, and nobody goes back", async (t) => {
  const { server, another, assertSealed, lock, unlock, text } = await scene(t);
  const knowing = another();
  await knowing.getAccessToken();
  await lock();
  const newer = await knowing.refresh();
  await assertSealed();

  const stranger = another();
  const events = eventsOf(stranger);
  const there = await text();
  await rejects(stranger.getAccessToken(), "StoreError", { code: "store-sealed", signInRequired: false });
  assert.equal(stranger.getSnapshot().status === "signed-out", false);
  assert.ok(events.includes("degraded keyring"));
  assert.equal(server.oracle.presentations, 2, "nothing was sent");
  assert.equal(await text(), there, "nothing was written");

  await unlock();
  assert.equal((await stranger.getTokens()).accessToken, newer.accessToken);
  assert.equal((await stranger.refresh()).accessToken === newer.accessToken, false);
  assert.deepEqual([server.oracle.presentations, server.oracle.counts().reuses], [3, 0]);
});

test("whoever signs in while the keyring is locked is signed in; once it is back, so is the seal", async (t) => {
  const { server, another, assertSealed, lock, unlock } = await scene(t);
  await lock();
  const { tokens } = await server.signIn();
  const locked = another();
  await locked.setTokens(tokens);
  assert.equal(await another().getAccessToken(), tokens.access_token);
  await unlock();
  const next = another();
  assert.equal(await next.getAccessToken(), tokens.access_token);
  await next.refresh(NEW);
  await assertSealed();
  assert.equal(await server.isActive(await locked.getAccessToken()), true);
  assert.equal(server.oracle.counts().reuses, 0);
});

test("a keyring that has lost the key: that is no sign-out, and a sign-in makes another one", async (t) => {
  const { server, another, assertSealed, keyring, entries, text } = await scene(t);
  await rm(keyring, { recursive: true });
  const there = await text();
  await rejects(another().getAccessToken(), "StoreError", { code: "store-sealed" });
  assert.equal(await text(), there);
  assert.equal(server.oracle.presentations, 0);
  const { tokens } = await server.signIn();
  await another().setTokens(tokens);
  assert.equal(await another().getAccessToken(), tokens.access_token);
  await assertSealed();
  assert.equal((await entries()).length, 1);
});

test("`fallback: false`: no token is ever in the file as it is; who has the key goes on, and who signs out is signed out", async (t) => {
  const { server, options, path, keyring, text, lock, unlock, assertSealed, another } = await scene(t, { entry: refusing });
  const strict = () => {
    const auth = new RefreshCoordinator({
      ...options,
      store: keyringStore({ service: SERVICE, file: fileStore(path), entry: entriesIn(keyring), fallback: false }),
    });
    t.after(() => auth.close());
    return auth;
  };
  await lock();
  // What is there as it is was another store's, and stays as it is.
  const there = await text();
  await rejects(strict().getAccessToken(), "StoreError", { code: "store-sealed", signInRequired: false });
  const { tokens } = await server.signIn();
  await rejects(strict().setTokens(tokens), "StoreError", { code: "store-sealed" });
  assert.equal(await text(), there);
  assert.equal(server.oracle.presentations, 0, "nothing was sent");

  await unlock();
  const auth = strict();
  await auth.getAccessToken();
  await assertSealed();
  await lock();
  assert.equal(await server.isActive((await auth.refresh()).accessToken), true);
  await assertSealed();
  await auth.signOut();
  await unlock();
  await rejects(another().getAccessToken(), "NoSessionError");
});

test("a sign-out and a sign-in after it need no other key", async (t) => {
  const { server, another, assertSealed, entries } = await scene(t);
  const before = await entries();
  const auth = another();
  await auth.signOut();
  await rejects(another().getAccessToken(), "NoSessionError");
  const { tokens } = await server.signIn();
  await auth.setTokens(tokens);
  await assertSealed();
  assert.deepEqual(await entries(), before);
});

test("what is sealed in another way needs no key: with `sealKey`, and in successor mode", async (t) => {
  const { server, options, storeAt, entries } = await scene(t);
  const before = await entries();
  const auth = new RefreshCoordinator({ ...options, session: "another one", sealKey: "at least sixteen characters", store: storeAt() });
  t.after(() => auth.close());
  const { tokens } = await server.signIn();
  await auth.setTokens(tokens);
  assert.equal(await auth.getAccessToken(), tokens.access_token);
  const { tokens: carried } = await server.signIn();
  assert.equal(await server.isActive((await auth.renew({ refresh_token: carried.refresh_token })).accessToken), true);
  assert.deepEqual(await entries(), before);
});
