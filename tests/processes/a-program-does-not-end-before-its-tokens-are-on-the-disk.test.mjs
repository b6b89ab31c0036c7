// A program that waits for nothing has presented a refresh token: the only copy of the new one is in its memory.

import assert from "node:assert/strict";
import test from "node:test";

import { grace } from "../authorization-server/personalities.mjs";
import { rejects } from "../node/errors.mjs";
import { run, signedIn } from "./lifecycle/programs.mjs";

test("it lives on from the reply to the write", async (t) => {
  const { server, settings, another, counts } = await signedIn(t);
  const held = server.holdReply();
  const program = run(t, "asks-and-ends.mjs", settings);
  await held.arrived;
  held.release();
  const { how, printed } = await program.ended;
  assert.equal(how, 0, printed);
  assert.equal(printed, "");
  await rotatedOnce({ server, another, counts });
});

for (const slow of ["store", "lock"]) {
  test(`it lives on while its ${slow} is slow, although that has nothing to keep a program alive by`, async (t) => {
    const { server, settings, another, counts } = await signedIn(t);
    const { how, printed } = await run(t, "asks-and-ends.mjs", { ...settings, slow }).ended;
    assert.equal(how, 0, printed);
    assert.equal(printed, "");
    await rotatedOnce({ server, another, counts });
  });
}

test("it lives on while another process has the lock, and takes over what that one got", async (t) => {
  const { server, settings, another, counts } = await signedIn(t);
  const held = server.holdReply();
  const first = run(t, "asks-and-ends.mjs", settings);
  await held.arrived;
  const second = run(t, "asks-and-ends.mjs", settings);
  await second.says("waiting");
  held.release();
  for (const { how, printed } of await Promise.all([first.ended, second.ended])) assert.equal(how, 0, printed);
  await second.says("adopted");
  await rotatedOnce({ server, another, counts });
});

for (const by of ["process.exit", "an exception that nobody catches"]) {
  test(`nothing can stop ${by}: on a strict server the session is lost, and that is said`, async (t) => {
    const { server, settings, another, counts } = await signedIn(t);
    const { how } = await run(t, "dies.mjs", { ...settings, by }).ended;
    assert.equal(how, by === "process.exit" ? 3 : 1);
    await rejects(another().getAccessToken(), "RevokedError", { reason: "response-lost" });
    assert.deepEqual([counts().granted, counts().reuses, server.oracle.presentations], [1, 1, 2]);
  });

  test(`nothing can stop ${by}: a server that accepts the previous token again gives the session back`, async (t) => {
    const { server, settings, another, counts } = await signedIn(t, { personality: grace });
    await run(t, "dies.mjs", { ...settings, by }).ended;
    assert.equal(await server.isActive(await another().getAccessToken()), true);
    assert.deepEqual([counts().granted, counts().refused], [2, 0]);
  });
}

/** One presentation, and whoever comes next has what it brought. */
async function rotatedOnce({ server, another, counts }) {
  assert.equal(server.oracle.presentations, 1);
  const token = await another().getAccessToken();
  assert.equal(await server.isActive(token), true);
  assert.equal(server.oracle.presentations, 1);
  assert.deepEqual(counts(), { granted: 1, refused: 0, rotations: 1, reuses: 0, revocations: 0, signOuts: 0 });
}
