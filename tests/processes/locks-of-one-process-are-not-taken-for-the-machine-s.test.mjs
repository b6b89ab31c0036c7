// `navigator.locks` of Node 24 exclude the threads of one process and nobody else. Who took a free one for the proof that an intent's
// owner is gone would present the token of a living one.

import assert from "node:assert/strict";
import test from "node:test";

import { run, signedIn } from "./lifecycle/programs.mjs";

const CASES = [
  { title: "found, beside a file", locks: "found", scope: "host" },
  { title: "given, beside a file", locks: "given", scope: "host" },
  { title: "found, beside a store that calls its processes an origin", locks: "found", scope: "origin" },
  { title: "given, beside a store that calls its processes an origin", locks: "given", scope: "origin" },
];

for (const { title, ...what } of CASES) {
  test(`locks of a process, ${title}: the other process waits`, async (t) => {
    const { server, settings, counts } = await signedIn(t);
    const held = server.holdReply();
    const first = run(t, "in-a-page-as-it-seems.mjs", { ...settings, ...what });
    await held.arrived;
    const second = run(t, "in-a-page-as-it-seems.mjs", { ...settings, ...what });
    await second.says("waiting");
    held.release();
    const got = await Promise.all([first, second].map((program) => program.says("got")));
    assert.equal(new Set(got).size, 1);
    assert.equal(server.oracle.presentations, 1);
    assert.deepEqual(counts(), { granted: 1, refused: 0, rotations: 1, reuses: 0, revocations: 0, signOuts: 0 });
    for (const { how, printed } of await Promise.all([first.ended, second.ended])) assert.equal(how, 0, printed);
  });
}
