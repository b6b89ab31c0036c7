/** The contract of a store, first part: a register with versions, one for each key. */

import { equal, refuses } from "./expect.js";
import type { Cases } from "./store-contract.js";

export const registers: Cases = {
  async "what was never written is absent"({ open, key }) {
    equal(await (await open()).read(key()), undefined);
  },

  async "a write needs the version that is there, or null for nothing"({ open, key }) {
    const [store, k] = [await open(), key()];
    const first = await store.write(k, "a", { ifVersion: null });
    equal(typeof first, "string", "a write returns the new version");
    equal(await store.write(k, "b", { ifVersion: null }), undefined, "there is something");
    for (const never of ["another", "", "0", `${first} `]) {
      equal(await store.write(k, "b", { ifVersion: never }), undefined, "that was never the version");
    }
    const second = await store.write(k, "b", { ifVersion: first as string });
    equal(await store.write(k, "c", { ifVersion: first as string }), undefined, "that version is gone");
    const there = await store.read(k);
    equal(there?.value, "b");
    equal(there?.version, second, "`read` and `write` call it the same");
  },

  async "a conflict writes nothing, and deletes nothing"({ open, key }) {
    const [store, k, absent] = [await open(), key(), key()];
    const version = (await store.write(k, "a", { ifVersion: null })) as string;
    equal(await store.write(k, undefined, { ifVersion: null }), undefined);
    equal(await store.write(k, undefined, { ifVersion: "another" }), undefined);
    equal(await store.write(absent, undefined, { ifVersion: version }), undefined);
    equal(await store.write(absent, "b", { ifVersion: version }), undefined);
    equal((await store.read(k))?.value, "a");
    equal(await store.read(absent), undefined);
  },

  async "there is no unconditional write"({ open, key }) {
    const [store, k] = [await open(), key()];
    await refuses(() => store.write(k, "a", {} as { ifVersion: null }), "a write without `ifVersion`");
    equal(await store.read(k), undefined);
  },

  async "keys are apart"({ open, key }) {
    const [store, k] = [await open(), key()];
    const long = "a".repeat(500);
    const odd = ["", " ", "k", "K", "k ", "__proto__", "constructor", "ключ", "\u0000", "k\\", "%", "k_", "{k}", long, `${long}b`];
    // The odd ones also by themselves, where they may be left from another run.
    const all = [...odd, ...odd.map((name) => k + name)];
    for (const one of all) {
      const left = await store.read(one);
      if (left !== undefined) await store.write(one, undefined, { ifVersion: left.version });
    }
    const versions = [];
    for (const one of all) versions.push(await store.write(one, `of ${one}`, { ifVersion: null }));
    for (const one of all) equal((await store.read(one))?.value, `of ${one}`, one);
    for (const [index, one] of all.entries()) await store.write(one, undefined, { ifVersion: versions[index] as string });
    for (const one of all) equal(await store.read(one), undefined, one);
  },

  async "a value comes back as it was"({ open, key }) {
    const [store, k] = [await open(), key()];
    let version: string | null = null;
    for (const value of ["", "\u0000", "\"quotes\", 'others' and \\0", "null", "12", "{\"a\":[1]}", "ß🙂\u2028\r\n", " x ", "x".repeat(200_000)]) {
      version = (await store.write(k, value, { ifVersion: version })) as string;
      equal((await store.read(k))?.value, value);
    }
  },

  async "the same value once more is a write like any other"({ open, key }) {
    const [store, other, k] = [await open(), await open(), key()];
    const first = (await store.write(k, "v", { ifVersion: null })) as string;
    const second = await store.write(k, "v", { ifVersion: first });
    equal(typeof second, "string", "a write returns the new version");
    equal(second === first, false, "the version is as it was");
    equal(await other.write(k, "w", { ifVersion: first }), undefined, "that version is gone");
    equal((await other.read(k))?.version, second);
  },

  async "no version is used twice for a key, not even after a delete"({ open, key }) {
    const [store, k] = [await open(), key()];
    const seen = new Set<string>();
    for (let round = 0; round < 20; round += 1) {
      const version = (await store.write(k, "v", { ifVersion: null })) as string;
      equal(seen.has(version), false, "the version of an earlier round");
      seen.add(version);
      equal(typeof (await store.write(k, undefined, { ifVersion: version })), "string", "a delete returns a version too");
      equal(await store.read(k), undefined);
      equal(await store.write(k, "w", { ifVersion: version }), undefined, "its version went with it");
    }
  },
};
