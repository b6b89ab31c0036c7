// A keyring that asks the user, and a user who does not look: there is one prompt, one thread waits for it, and everybody else goes on.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { open, writeFile } from "node:fs/promises";
import test from "node:test";

import { scene, SERVICE } from "./keyring/scene.mjs";
import { run } from "./lifecycle/programs.mjs";

/** A session in the file, and programs whose keyring asks before it says anything. */
async function asking(t) {
  const there = await scene(t);
  const [prompt, unlocked] = [`${there.path}.prompt`, `${there.path}.unlocked`];
  assert.equal(spawnSync("mkfifo", [prompt]).status, 0);
  return {
    ...there,
    program: (steps) => run(t, "../keyring/prompts.mjs", { ...there.settings, keyring: there.keyring, service: SERVICE, prompt, unlocked, steps }),
    async answer() {
      await writeFile(unlocked, "");
      // For as long as nobody reads it, this waits.
      await (await open(prompt, "w")).close();
    },
  };
}

test("more sessions than the pool has threads sign in at once: the file has them, after one prompt; the answer seals them", async (t) => {
  const { server, program, answer, text, assertSealed } = await asking(t);
  const signIns = await Promise.all(Array.from({ length: 6 }, () => server.signIn()));
  const calls = signIns.map(({ tokens }, index) => ({ session: `session ${index}`, member: "setTokens", values: [tokens] }));
  const first = program([calls]);
  assert.deepEqual(await first.says("results"), [calls.map(() => "fulfilled")]);
  await first.says("the pool is free");
  for (const { tokens } of signIns) assert.ok((await text()).includes(tokens.refresh_token));
  await answer();
  const { how, said, printed } = await first.ended;
  assert.equal(how, 0, printed);
  assert.deepEqual(said, ["prompt", "results", "the pool is free"]);

  const next = await program([calls.map(({ session }) => ({ session, member: "refresh", values: [{ mintedAfterNow: true }] }))]).says("results");
  assert.deepEqual(next, [calls.map(() => "fulfilled")]);
  await assertSealed();
  assert.equal(server.oracle.counts().refused, 0);
});

test("the session that is there cannot be opened, and whoever signs in over it is signed in: one prompt, also for the key that is left", async (t) => {
  const { server, program, answer, entries, another } = await asking(t);
  const before = await entries();
  const { tokens, session } = await server.signIn();
  const use = { member: "getAccessToken" };
  const asked = program([[use, use], [use], [{ member: "setTokens", values: [tokens] }], [use]]);
  const sealed = "store-sealed";
  assert.deepEqual(await asked.says("results"), [[sealed, sealed], [sealed], ["fulfilled"], ["fulfilled"]]);
  await answer();
  const { how, said, printed } = await asked.ended;
  assert.equal(how, 0, printed);
  assert.deepEqual(said, ["prompt", "results", "the pool is free"]);
  assert.deepEqual(await entries(), before);
  assert.equal(server.oracle.presentations, 0);
  assert.equal(await server.sessionOf(await another().getAccessToken()), session);
});
