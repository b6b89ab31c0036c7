/** The contract of a store, second part: values that end by themselves. */

import { equal, gone } from "./expect.js";
import type { Cases } from "./store-contract.js";

const DAY = 24 * 3_600_000;

export const lifetimes: Cases = {
  async "what has expired is absent, and its version conflicts"({ open, key }) {
    const [store, k] = [await open(), key()];
    const version = (await store.write(k, "v", { ifVersion: null, ttl: 1 })) as string;
    await gone(store, k);
    equal(await store.write(k, "w", { ifVersion: version }), undefined);
    equal(await store.write(k, undefined, { ifVersion: version }), undefined);
    const next = await store.write(k, "w", { ifVersion: null });
    equal(next === version, false, "a version is used again");
    equal((await store.read(k))?.value, "w");
  },

  async "no version comes back after an expiry"({ open, key }) {
    const [store, k] = [await open(), key()];
    const seen = new Set<string>();
    for (let round = 0; round < 10; round += 1) {
      const version = (await store.write(k, "v", { ifVersion: null, ttl: 1 })) as string;
      equal(seen.has(version), false, "the version of an earlier round");
      seen.add(version);
      await gone(store, k);
    }
  },

  async "what has not expired is there"({ open, key }) {
    const [store, other] = [await open(), await open()];
    for (const ttl of [60_000, 40 * DAY, 1_000.5 * 60]) {
      const k = key();
      await store.write(k, "v", { ifVersion: null, ttl });
      equal((await other.read(k))?.value, "v", `a time to live of ${ttl} ms`);
    }
  },

  async "a time to live ends with the next write"({ open, key }) {
    const [store, k, other] = [await open(), key(), key()];
    const version = (await store.write(k, "v", { ifVersion: null, ttl: 500 })) as string;
    // On a machine that stands still for so long the value is gone by now, and the next write shows nothing.
    const next = (await store.write(k, "w", { ifVersion: version })) ?? (await store.write(k, "w", { ifVersion: null }));
    equal(typeof next, "string");
    await store.write(other, "x", { ifVersion: null, ttl: 501 });
    await gone(store, other);
    equal((await store.read(k))?.value, "w");
  },

  async "a later write may bring a time to live"({ open, key }) {
    const [store, k] = [await open(), key()];
    const version = (await store.write(k, "v", { ifVersion: null })) as string;
    await store.write(k, "w", { ifVersion: version, ttl: 1 });
    await gone(store, k);
  },
};
