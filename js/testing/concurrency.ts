/** The contract of a store, third part: several who write and read at once. */

import type { Store } from "../types.js";
import { equal, gone, turn } from "./expect.js";
import type { Bench, Cases } from "./store-contract.js";

export const concurrency: Cases = {
  async "of many writers with one version, one wins"(bench) {
    const stores = await handles(bench, 10);
    const [one] = stores as [Store];
    const [fresh, taken, expired] = [bench.key(), bench.key(), bench.key()];
    const version = (await one.write(taken, "0", { ifVersion: null })) as string;
    await one.write(expired, "0", { ifVersion: null, ttl: 1 });
    await gone(one, expired);
    for (const [key, ifVersion] of [[fresh, null], [taken, version], [expired, null]] as const) {
      const written = await Promise.all(stores.map(async (store, index) => store.write(key, `by ${index}`, { ifVersion })));
      const winners = written.flatMap((version, index) => (version === undefined ? [] : [index]));
      equal(winners.length, 1, "winners");
      const there = await one.read(key);
      equal(there?.value, `by ${winners[0]}`);
      equal(there?.version, written[winners[0] as number]);
    }
  },

  async "of a write and a delete with one version, one wins"(bench) {
    const [one, other] = (await handles(bench, 2)) as [Store, Store];
    for (let round = 0; round < 10; round += 1) {
      const key = bench.key();
      const ifVersion = (await one.write(key, "0", { ifVersion: null })) as string;
      const values = round % 2 === 0 ? ["1", undefined] : [undefined, "1"];
      const [first, second] = await Promise.all([one.write(key, values[0], { ifVersion }), other.write(key, values[1], { ifVersion })]);
      equal((first === undefined) !== (second === undefined), true, "one of the two wins");
      equal((await one.read(key))?.value, first === undefined ? values[1] : values[0]);
    }
  },

  async "those who count together count right"(bench) {
    const [stores, key, each] = [await handles(bench, 4), bench.key(), 10];
    await Promise.all(
      stores.map(async (store) => {
        for (let done = 0; done < each; ) {
          const there = await store.read(key);
          const next = String(Number(there?.value ?? 0) + 1);
          if ((await store.write(key, next, { ifVersion: there?.version ?? null })) !== undefined) done += 1;
        }
      }),
    );
    for (const store of stores) equal((await store.read(key))?.value, String(each * stores.length));
  },

  async "what one has written, all others read at once"(bench) {
    const [one, ...others] = (await handles(bench, 4)) as [Store, Store, ...Store[]];
    const key = bench.key();
    let version: string | null = null;
    for (let round = 0; round < 20; round += 1) {
      version = (await one.write(key, `round ${round}`, { ifVersion: version })) as string;
      for (const other of others) equal((await other.read(key))?.value, `round ${round}`);
    }
    await others[0].write(key, undefined, { ifVersion: version as string });
    equal(await one.read(key), undefined);
  },

  async "a value is read with its own version"(bench) {
    const [writer, reader] = (await handles(bench, 2)) as [Store, Store];
    const [key, written] = [bench.key(), new Map<string, string>()];
    let writing = true;
    const seen: { value: string; version: string }[] = [];
    const reads = (async () => {
      while (writing) {
        const there = await reader.read(key);
        if (there !== undefined) seen.push(there);
        await turn();
      }
    })();
    let version: string | null = null;
    try {
      for (let round = 0; round < 30; round += 1) {
        version = (await writer.write(key, `round ${round}`, { ifVersion: version })) as string;
        written.set(version, `round ${round}`);
        await turn();
      }
    } finally {
      writing = false;
    }
    await reads;
    for (const { value, version } of seen) equal(value, written.get(version), "the value of another version");
  },
};

function handles(bench: Bench, count: number): Promise<Store[]> {
  return Promise.all(Array.from({ length: count }, () => bench.open()));
}
