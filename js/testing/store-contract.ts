/**
 * The contract of a store: what a coordinator relies on, whatever the store is made of.
 *
 * Must not know of any particular store, nor of any test runner.
 */

import type { MaybePromise, Store } from "../types.js";
import { concurrency } from "./concurrency.js";
import { lifetimes } from "./lifetimes.js";
import { registers } from "./registers.js";
import { watches } from "./watches.js";

/** One sentence of the contract. */
export interface StoreCase {
  /** What must be true: the name of the test. */
  readonly title: string;
  /** Resolves if it is true, and rejects with an `Error` that says what was found instead. Takes no argument. */
  readonly run: () => Promise<void>;
}

/** What a case gets: one more handle on the data, and a key that nobody has used. */
export interface Bench {
  open(): Promise<Store>;
  key(): string;
}

/** A case as it is written down. */
export type Cases = Readonly<Record<string, (bench: Bench) => Promise<void>>>;

/**
 * The contract of {@link Store} as a list of cases: conditional writes are atomic, versions never come back, what has expired is
 * absent, a write is seen by everybody at once, keys are apart, and, where there is a `watch`, no change goes unheard. For
 * node:test, Vitest, Jest, and anything else that takes a name and an asynchronous function.
 *
 * Every case uses keys of its own, so the data need not be empty, and is left behind under keys that begin with `contract`
 * (and a few odd ones like `""`, which are deleted). A store of yours that passes can hold the sessions of a
 * coordinator.
 *
 * @param open makes one more handle on the same data, as another process or tab would; may always return the same object where
 * there is only one. Called many times: connections are to be shared or closed by you.
 * @example
 * ```ts
 * import { test } from "node:test"; // or "vitest", or Jest's global
 * import { storeContract } from "refresh-coordinator/testing";
 * for (const { title, run } of storeContract(() => myStore(database))) test(title, run);
 * ```
 */
export function storeContract(open: () => MaybePromise<Store>): readonly StoreCase[] {
  const cases = Object.entries({ ...registers, ...lifetimes, ...concurrency, ...watches });
  // Without parameters: Jest would take the first one for its callback.
  return cases.map(([title, holds]) => ({ title, run: () => holds({ open: async () => open(), key: freshKey }) }));
}

let keys = 0;

/** Of this run only: another one may go on beside it. */
function freshKey(): string {
  keys += 1;
  return `contract ${Math.random().toString(36).slice(2)} ${keys}`;
}
