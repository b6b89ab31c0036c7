// The contract of a store, for a file that a keyring opens: where the keyring works, and where there is none.

import { join } from "node:path";
import test from "node:test";

import { fileStore } from "refresh-coordinator/stores/file";
import { keyringStore } from "refresh-coordinator/stores/keyring";
import { storeContract } from "refresh-coordinator/testing";

import { entriesIn } from "./keyring/entries.mjs";
import { folder } from "./lifecycle/programs.mjs";

const none = () => () => {
  throw new Error("there is no keyring");
};

for (const [title, entries] of [["with a keyring", entriesIn], ["without one", none]]) {
  test(`a store in a file, ${title}`, async (t) => {
    const at = await folder(t);
    const open = () => keyringStore({ service: "a test", file: fileStore(join(at, "credentials.json")), entry: entries(join(at, "keyring")) });
    for (const { title, run } of storeContract(open)) await t.test(title, run);
  });
}
