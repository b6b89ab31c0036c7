/**
 * The store of a page that was given none: IndexedDB, or, where the browser refuses that to the page, the page's memory.
 *
 * A session in memory is seen by this page only, so its tokens are nobody else's to present. That holds as long as a page
 * stays with what it has begun with: it is decided once for all its coordinators, by the first answer of IndexedDB, one way
 * or the other. It does not hold for tokens that are carried elsewhere, say in a cookie: each page has them, and a memory of
 * each would have each present them. So the records of successor mode have no memory to fall back to.
 */

import { StoreError } from "../errors.js";
import type { Locks, Store } from "../types.js";
import { Degradation, type Degrading } from "./degradation.js";
import { indexedDbStore } from "./indexed-db.js";
import { memoryStore } from "./memory.js";

/**
 * How a browser says that it will never let this page use IndexedDB: a sandboxed frame, or storage that the user has blocked.
 * Any other error may pass, and loses no session.
 */
const REFUSED = "SecurityError";

/** A key that nothing is ever kept under: what counts is whether there is an answer. */
const PROBE = "";

export interface PageStore extends Store, Degrading {
  readonly scope: "origin";
  /** Where the records of successor mode are kept: in IndexedDB, or nowhere. */
  readonly successors: Store;
  /** The locks that fit what it has turned out to be, given those of the page. */
  fitting(locks: Locks): Locks;
}

let only: PageStore | undefined;

/** The store of this page: all its coordinators have the same one. */
export function pageStore(): PageStore {
  return (only ??= create());
}

function create(): PageStore {
  const degradation = new Degradation();
  const disk = indexedDbStore();
  const memory = memoryStore();
  let chosen: Store | undefined;
  /** Of sessions, which the memory has if anything has. */
  const sessions = new Set<string>();

  /** What may pass decides nothing: the next call asks again. Nor does it wait for one that is never answered. */
  async function choice(key: string): Promise<Store> {
    sessions.add(key);
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
    read: async (key) => (await choice(key)).read(key),
    write: async (key, value, conditions) => (await choice(key)).write(key, value, conditions),
    successors: disk,
    onDegraded: degradation.onDegraded,
    fitting: (locks) => ({
      // The core reads a record before it asks for its lock.
      request: (name, ...rest) => (chosen === memory && sessions.has(name) ? memory.locks : locks).request(name, ...rest),
    }),
  };
}

/** Refused, or there in name only. */
function isRefused(error: unknown): boolean {
  if (!(error instanceof StoreError) || error.code !== "store-unavailable") return false;
  return (error.cause as Error).name === REFUSED || isAbsent();
}

function isAbsent(): boolean {
  try {
    return ((globalThis as { indexedDB?: unknown }).indexedDB ?? undefined) === undefined;
  } catch {
    // Its name may not be spoken, which is said by the error.
    return false;
  }
}
