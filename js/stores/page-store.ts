/**
 * The store of a page that was given none: IndexedDB, or, where the browser refuses that to the page, the page's memory.
 *
 * A session in memory is seen by this page only, so its tokens are nobody else's to present. That holds as long as a page
 * stays with what it has begun with: it is decided once, by the first answer of IndexedDB, one way or the other.
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

/** A key that nothing is ever kept under: what counts is whether there is an answer. */
const PROBE = "";

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

  /** What may pass decides nothing: the next call asks again. Nor does it wait for one that is never answered. */
  async function choice(): Promise<Store> {
    if (chosen !== undefined) return chosen;
    const answer = await disk.read(PROBE).then(
      () => disk,
      (error: unknown) => {
        if (!isRefused(error)) throw error;
        return memory;
      },
    );
    if (chosen === undefined && answer === memory) degradation.begins("store");
    return (chosen ??= answer);
  }

  return {
    scope: "origin",
    read: async (key) => (await choice()).read(key),
    write: async (key, value, conditions) => (await choice()).write(key, value, conditions),
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
