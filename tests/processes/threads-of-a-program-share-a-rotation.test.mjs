// Worker threads: each has the package for itself, with nothing in common but the file.

import assert from "node:assert/strict";
import test from "node:test";

import { run, signedIn } from "./lifecycle/programs.mjs";

const [THREADS, CALLERS] = [4, 25];

for (const [title, store] of [["the kernel's locks", {}], ["no locks", { lock: false }]]) {
  test(`with a file and ${title}: one rotation for all callers of all threads`, async (t) => {
    const { server, settings, counts } = await signedIn(t);
    const held = server.holdReply();
    const program = run(t, "threads.mjs", { ...settings, threads: THREADS, callers: CALLERS, store });
    await held.arrived;
    await program.says("asked");
    held.release();
    const got = await program.says("got");
    assert.equal(got.length, THREADS * CALLERS);
    assert.equal(new Set(got).size, 1);
    assert.equal(await server.isActive(got[0]), true);
    const { how, printed } = await program.ended;
    assert.equal(how, 0, printed);
    assert.equal(printed, "");
    assert.equal(server.oracle.presentations, 1);
    assert.deepEqual(counts(), { granted: 1, refused: 0, rotations: 1, reuses: 0, revocations: 0, signOuts: 0 });
  });
}

test("a thread that is ended in mid refresh lets its lock go: nobody is kept from the session", async (t) => {
  const { server, settings, counts } = await signedIn(t);
  const held = server.holdRequest();
  const program = run(t, "ends-a-thread.mjs", settings);
  await held.arrived;
  program.tell("end the thread");
  await program.says("ended the thread");
  // Its connection is gone, so the server never sees what it has sent.
  held.release();
  assert.equal(await server.isActive(await program.says("got")), true);
  const { how, printed } = await program.ended;
  assert.equal(how, 0, printed);
  assert.deepEqual(counts(), { granted: 1, refused: 0, rotations: 1, reuses: 0, revocations: 0, signOuts: 0 });
});

test("in memory each thread has a session of its own: nobody else's token comes to it", async (t) => {
  const { settings } = await signedIn(t);
  const program = run(t, "threads.mjs", { ...settings, threads: THREADS, callers: CALLERS, store: "memory" });
  const got = await program.says("got");
  assert.equal(got.length, THREADS * CALLERS);
  assert.equal(new Set(got).size, THREADS);
  assert.equal((await program.ended).how, 0);
});
