// A process is killed at each step between keyring and file. Whoever comes next has the session of before or the new one, never an older
// one, never half of one; and no token is in the file.

import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import test from "node:test";

import { grace, strict } from "../authorization-server/personalities.mjs";
import { rejects } from "../node/errors.mjs";
import { scene, SERVICE } from "./keyring/scene.mjs";
import { run } from "./lifecycle/programs.mjs";

/** The program that stops at a moment, and is killed there. */
async function killed(t, { settings, keyring }, at, action) {
  const program = run(t, "../keyring/stops.mjs", { ...settings, keyring, service: SERVICE, at, ...action });
  await program.says("stopped");
  program.signal("SIGKILL");
  assert.equal((await program.ended).how, "SIGKILL");
}

/** At each moment of a sign-in beside a session that is there: does the new one hold? */
const OF_A_SIGN_IN = {
  "before the file is written": false,
  "after the file is written": true,
};

for (const [at, isNew] of Object.entries(OF_A_SIGN_IN)) {
  test(`killed in a sign-in ${at}: ${isNew ? "the new session is there" : "the one before it is there"}`, async (t) => {
    const there = await scene(t);
    const { server, another, assertSealed, entries } = there;
    const { tokens, session } = await server.signIn();
    await killed(t, there, at, { action: "sign in", tokens });
    assert.equal((await entries()).length, 1, "no other key was needed");
    const got = await another().refresh({ mintedAfterNow: true });
    assert.equal(await server.sessionOf(got.accessToken), isNew ? session : there.session);
    assert.equal(server.oracle.counts().refused, 0);
    await assertSealed();
  });
}

/** The same where the keyring does not say the key, so that a sign-in makes another one; and how many there are then. */
const OF_A_NEW_KEY = {
  "before the keyring is written": { isNew: false, keys: 1 },
  "after the keyring is written": { isNew: false, keys: 2 },
  "before the file is written": { isNew: false, keys: 2 },
  "after the file is written": { isNew: true, keys: 2 },
  "before a key is removed": { isNew: true, keys: 2 },
  "after a key is removed": { isNew: true, keys: 1 },
};

for (const [at, { isNew, keys }] of Object.entries(OF_A_NEW_KEY)) {
  test(`killed in a sign-in with a new key ${at}: ${isNew ? "the new session is there" : "the one before it is there"}`, async (t) => {
    const there = await scene(t);
    const { server, another, assertSealed, entries, text } = there;
    const before = await text();
    const { tokens, session } = await server.signIn();
    await killed(t, there, at, { action: "sign in", tokens, deaf: true });
    assert.equal((await entries()).length, keys);
    assert.equal((await text()) === before, !isNew);
    const got = await another().refresh({ mintedAfterNow: true });
    assert.equal(await server.sessionOf(got.accessToken), isNew ? session : there.session);
    assert.equal(server.oracle.counts().refused, 0);
    await assertSealed();
  });
}

/** The file is written for the claim, and for what the refresh has brought. The token is lost with the process that alone has it. */
const OF_A_REFRESH = {
  "before the file is written": { presented: 0 },
  "after the file is written": { presented: 0 },
  "before the file is written 2": { presented: 1, isLost: true },
  "after the file is written 2": { presented: 1 },
};

for (const personality of [strict, grace]) {
  for (const [at, { presented, isLost }] of Object.entries(OF_A_REFRESH)) {
    // What the server has not seen is the same for all of them.
    if (personality === grace && isLost !== true) continue;
    const lost = isLost === true && personality === strict;
    test(`${personality.name}: killed in a refresh ${at}: ${lost ? "a reply was lost, which is said" : "the next one goes on"}`, async (t) => {
      const there = await scene(t, { personality });
      const { server, another, assertSealed, entries } = there;
      const before = await entries();
      await killed(t, there, at, { action: "refresh" });
      assert.equal(server.oracle.presentations, presented);
      assert.deepEqual(await entries(), before);
      if (lost) {
        await rejects(another().getAccessToken(), "RevokedError", { reason: "response-lost" });
      } else {
        assert.equal(await server.isActive(await another().getAccessToken()), true);
        assert.equal(server.oracle.presentations, isLost ? 2 : 1);
        assert.equal(server.oracle.counts().refused, 0);
      }
      await assertSealed();
      assert.deepEqual(await entries(), before);
    });
  }
}

test("of many processes that sign in at once, each with a key of its own, one is signed in, and all can read it", async (t) => {
  const there = await scene(t);
  const { server, another, assertSealed, keyring, settings } = there;
  await rm(keyring, { recursive: true });
  const signIns = await Promise.all(Array.from({ length: 6 }, () => server.signIn()));
  const programs = signIns.map(({ tokens }) =>
    run(t, "../keyring/stops.mjs", { ...settings, keyring, service: SERVICE, action: "sign in", tokens }),
  );
  for (const { how, printed } of await Promise.all(programs.map(({ ended }) => ended))) assert.equal(how, 0, printed);
  await assertSealed();
  const [one, other] = await Promise.all([another().getAccessToken(), another().getAccessToken()]);
  assert.equal(one, other);
  assert.ok(signIns.some(({ tokens }) => tokens.access_token === one));
});
