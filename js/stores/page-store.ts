/**
 * The store of a page that was given none: IndexedDB, or, where the browser refuses that to the page, the page's memory.
 *
 * A session in memory is seen by this page only, so its tokens are nobody else's to present. That holds as long as a page
 * stays with what it has begun with: it is decided once, by the first call that IndexedDB answers, one way or the other.
 */

import { StoreError } from "../errors.js";
import type { Locks, Store } from "../types.js";
import { Degradation, type Degrading } from "./degradation.js";
import { indexedDbStore } from "./indexed-db.js";
import { memoryStore } from "./memory.js";

/** How a browser says that it will never let this page use IndexedDB. Anything else may pass, and loses no session. */
const REFUSED = [
  // A sandboxed frame, or storage that the user has blocked.
  "SecurityError",
  "NotAllowedError",
  // A private window of older Firefoxes.
  "InvalidStateError",
  // There in name only, or not at all.
  "TypeError",
  "ReferenceError",
];

/** All coordinators of the page find the same session, as they would in IndexedDB. */
const memory = memoryStore();

export interface PageStore extends Store, Degrading {
  readonly scope: "origin";
  /** The locks that fit what it has turned out to be, given those of the page. */
  fitting(locks: Locks): Locks;
}

export function pageStore(): PageStore {
  const degradation = new Degradation();
  const disk = indexedDbStore();
  let chosen: Store | undefined;

  async function use<T>(call: (store: Store) => T): Promise<Awaited<T>> {
    if (chosen !== undefined) return await call(chosen);
    try {
      const result = await call(disk);
      chosen ??= disk;
      return result;
    } catch (error) {
      if (!isRefused(error) || chosen === disk) throw error;
    }
    chosen = memory;
    degradation.begins("store");
    return await call(memory);
  }

  return {
    scope: "origin",
    read: (key) => use((store) => store.read(key)),
    write: (key, value, conditions) => use((store) => store.write(key, value, conditions)),
    onDegraded: degradation.onDegraded,
    fitting: (locks) => ({
      // The core reads a record before it asks for its lock.
      request: (...args) => (chosen === memory ? memory.locks : locks).request(...args),
    }),
  };
}

function isRefused(error: unknown): boolean {
  if (!(error instanceof StoreError) || error.code !== "store-unavailable") return false;
  return REFUSED.includes((error.cause as Error).name);
}
