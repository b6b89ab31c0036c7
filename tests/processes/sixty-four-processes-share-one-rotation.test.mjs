// Commands that are started all at once, find the access token expired, and have one credential file.

import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";

import { lockings } from "./lockings.mjs";
import { rush } from "./rush.mjs";
import { temporaryFolder } from "./temporary-folder.mjs";

const PROCESSES = 64;

for (const { title, store } of lockings) {
  test(`${PROCESSES} processes at once, ${title}: one rotation, and all have its token`, async (t) => {
    const folder = await temporaryFolder(t, "rush");
    const alone = await rush(t, { path: join(folder, "alone.json"), store, processes: 1 });
    const together = await rush(t, { path: join(folder, "together.json"), store, processes: PROCESSES });
    const said = ({ all, asking }) => `${all.toFixed(2)} s, of which ${asking.toFixed(2)} s from the first question`;
    t.diagnostic(`${title}: one process alone ${said(alone.seconds)}; ${PROCESSES} at once ${said(together.seconds)}`);
    assert.equal(together.tokens.length, PROCESSES);
  });
}
