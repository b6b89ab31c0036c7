// The usual beginning of a test of keyrings: a real server, a credential file, and a keyring in a folder beside it.

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { keyringStore } from "refresh-coordinator/stores/keyring";
import { fileStore } from "refresh-coordinator/stores/file";

import { signedIn } from "../lifecycle/programs.mjs";
import { entriesIn } from "./entries.mjs";

export const SERVICE = "a test";

/** A session in the file. `entry` makes the entries of the keyring that it is signed in with. */
export async function scene(t, { personality, entry = entriesIn } = {}) {
  let keyring;
  const storeAt = (path, make = entriesIn) => {
    keyring ??= join(dirname(path), "keyring");
    return keyringStore({ service: SERVICE, file: fileStore(path), entry: make(keyring) });
  };
  let first = true;
  const begun = await signedIn(t, {
    personality,
    // Only the sign-in itself has the other keyring.
    store: (path) => {
      const store = storeAt(path, first ? entry : entriesIn);
      first = false;
      return store;
    },
  });
  const locked = join(keyring, "locked");
  return {
    ...begun,
    keyring,
    storeAt: (make) => storeAt(begun.path, make),
    lock: () => mkdir(keyring, { recursive: true }).then(() => writeFile(locked, "")),
    unlock: () => rm(locked),
    /** The names of its entries, and what is in them. */
    entries: () => entriesOf(keyring),
    text: () => readFile(begun.path, "utf8"),
    /** Fails if there is a token in the file that the server has ever issued. */
    async assertSealed() {
      const text = await readFile(begun.path, "utf8");
      for (const token of begun.server.oracle.issued) assert.equal(text.includes(token), false, "a token is in the file");
      assert.match(text, /keyring1\./);
    },
  };
}

async function entriesOf(folder) {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name !== "locked").sort();
  return Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "utf8")]));
}

/** The events that a coordinator tells from now on, by their type and what they speak of. */
export function eventsOf(auth) {
  const events = [];
  auth.subscribe((event) => event && events.push([event.type, event.what].filter(Boolean).join(" ")));
  return events;
}
