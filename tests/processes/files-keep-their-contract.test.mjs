// The contract of a store, in files: with the kernel's locks beside it, and without.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";

import { fileStore } from "refresh-coordinator/stores/file";
import { storeContract } from "refresh-coordinator/testing";

for (const [title, options] of [["with locks", {}], ["without locks", { lock: false }]]) {
  test(`a store in a file, ${title}`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "file-store-"));
    t.after(() => rm(folder, { recursive: true }));
    const path = join(folder, "credentials.json");
    for (const { title, run } of storeContract(() => fileStore(path, options))) await t.test(title, run);
  });
}
