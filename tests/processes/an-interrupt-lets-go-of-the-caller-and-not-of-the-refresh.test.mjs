// ^C while the refresh is at the server: the tool lets go at once, and ends by itself as soon as what it got is on the disk.

import assert from "node:assert/strict";
import test from "node:test";

import { run, signedIn } from "./lifecycle/programs.mjs";

for (const [when, hold] of [["before the server has looked", "holdRequest"], ["when the server has rotated", "holdReply"]]) {
  test(`${when}: the exchange goes on, and the next process has its tokens`, async (t) => {
    const { server, settings, another, counts } = await signedIn(t);
    const held = server[hold]();
    const tool = run(t, "interrupted.mjs", settings);
    await held.arrived;
    tool.signal("SIGINT");
    assert.equal(await tool.says("let go"), "interrupted");
    held.release();
    const { how, said, printed } = await tool.ended;
    assert.equal(how, 0, printed);
    assert.equal(printed, "");
    assert.deepEqual(said, ["let go"]);

    const token = await another().getAccessToken();
    assert.equal(await server.isActive(token), true);
    assert.equal(server.oracle.presentations, 1);
    assert.deepEqual(counts(), { granted: 1, refused: 0, rotations: 1, reuses: 0, revocations: 0, signOuts: 0 });
  });
}

test("another process that comes meanwhile waits for the one that was interrupted", async (t) => {
  const { server, settings, counts } = await signedIn(t);
  const held = server.holdReply();
  const tool = run(t, "interrupted.mjs", settings);
  await held.arrived;
  tool.signal("SIGINT");
  await tool.says("let go");
  const next = run(t, "interrupted.mjs", settings);
  held.release();
  await next.says("has a token");
  for (const { how, printed } of await Promise.all([tool.ended, next.ended])) assert.equal(how, 0, printed);
  assert.equal(server.oracle.presentations, 1);
  assert.equal(counts().rotations, 1);
});
