// The contract of a store, in files: with the kernel's locks beside it, and without.

import { join } from "node:path";
import test from "node:test";

import { fileStore } from "refresh-coordinator/stores/file";
import { storeContract } from "refresh-coordinator/testing";

import { temporaryFolder } from "./temporary-folder.mjs";

for (const [title, options] of [["with locks", {}], ["without locks", { lock: false }]]) {
  test(`a store in a file, ${title}`, async (t) => {
    const path = join(await temporaryFolder(t, "file"), "credentials.json");
    for (const { title, run } of storeContract(() => fileStore(path, options))) await t.test(title, run);
  });
}
