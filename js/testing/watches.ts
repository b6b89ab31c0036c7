/** The contract of a store, last part: `watch`, where there is one. A hint may come too often, but never not at all. */

import type { Store } from "../types.js";
import { arrives, turn } from "./expect.js";
import type { Cases } from "./store-contract.js";

export const watches: Cases = {
  async "a watcher hears of every change by somebody else, if there is a watch"(bench) {
    const [store, other, key] = [await bench.open(), await bench.open(), bench.key()];
    if (store.watch === undefined) return;
    const bell = new Bell();
    const stop = await store.watch(key, bell.ring);
    let version: string | null = null;
    for (const value of ["a", "b", undefined, "c"]) {
      const heard = bell.next();
      const written = (await other.write(key, value, { ifVersion: version })) as string;
      await arrives(heard, value === undefined ? "somebody deleted it" : `somebody wrote ${value}`);
      version = value === undefined ? null : written;
    }
    stop();
  },

  async "who watches, then reads, misses nothing, if there is a watch"(bench) {
    const [store, other] = [await bench.open(), await bench.open()];
    if (store.watch === undefined) return;
    for (let round = 0; round < 10; round += 1) {
      const [key, bell] = [bench.key(), new Bell()];
      const heard = bell.next();
      // Like the coordinator: nobody waits for the watch to be in force.
      const watching = store.watch(key, bell.ring);
      const [found] = await Promise.all([store.read(key), other.write(key, "v", { ifVersion: null })]);
      if (found === undefined) await arrives(heard, "the value was not there yet when it was read");
      (await watching)();
    }
  },

  async "all watchers of a key hear, and one that has stopped keeps no other from hearing"(bench) {
    const [store, other, key] = [await bench.open(), await bench.open(), bench.key()];
    if (store.watch === undefined) return;
    const bells = [new Bell(), new Bell(), new Bell()] as const;
    const stops = await Promise.all(bells.map(async (bell) => watch(store, key, bell)));
    const version = (await change(other, key, null, bells)) as string;
    stops[1]?.();
    await change(other, key, version, [bells[0], bells[2]]);
    for (const stop of stops) stop();
  },

  async "who stops and watches again at once goes on hearing, if there is a watch"(bench) {
    const [store, other, key] = [await bench.open(), await bench.open(), bench.key()];
    if (store.watch === undefined) return;
    const bell = new Bell();
    let stop = await store.watch(key, bell.ring);
    let version = (await change(other, key, null, [bell])) as string;
    stop();
    stop = await store.watch(key, bell.ring);
    // More than once: a watch that begins may say so by itself, which the first of them is mistaken for.
    for (let round = 0; round < 4; round += 1) {
      await turn();
      version = (await change(other, key, version, [bell])) as string;
    }
    stop();
  },
};

const watch = async (store: Store, key: string, bell: Bell) => store.watch?.(key, bell.ring) ?? (() => {});

/** A write that all of them must hear of. */
async function change(store: Store, key: string, ifVersion: string | null, bells: readonly Bell[]) {
  const heard = bells.map((bell) => bell.next());
  const version = await store.write(key, "v", { ifVersion });
  for (const each of heard) await arrives(each, "the key was written");
  return version;
}

/** Tells when it was rung. */
class Bell {
  #waiting: (() => void)[] = [];

  readonly ring = (): void => {
    for (const wake of this.#waiting.splice(0)) wake();
  };

  /** Settles at the next ring. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
