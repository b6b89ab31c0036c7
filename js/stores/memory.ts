/**
 * A store in memory: for one process, or one page. Coordinators that are given the same object share it.
 *
 * Must not know what the values mean. No timer: what has expired is gone when it is looked at, and swept by later writes.
 */

import type { Locks, Store, StoredValue } from "../types.js";
import { createLocks } from "./queue.js";

type Conditions = Parameters<Store["write"]>[2];

/** A store in memory, with locks and a watch of its own. */
export interface MemoryStore extends Store {
  readonly scope: "context";
  readonly locks: Locks;
  read(key: string): StoredValue | undefined;
  write(key: string, value: string | undefined, conditions: Conditions): string | undefined;
  watch(key: string, listener: () => void): () => void;
}

interface Row extends StoredValue {
  /** On the monotonic clock. */
  readonly endsAt: number;
}

/** How many entries a write looks at for expired ones: more than it can add, so that they cannot pile up. */
const SWEEP = 4;

/**
 * Makes a store in memory.
 *
 * @example
 * ```ts
 * const store = memoryStore();
 * const [first, second] = [new RefreshCoordinator({ ...options, store }), new RefreshCoordinator({ ...options, store })];
 * ```
 */
export function memoryStore(): MemoryStore {
  const rows = new Map<string, Row>();
  const watchers = new Map<string, Set<() => void>>();
  let sweeper = rows.entries();
  // One counter for all keys: no version is ever used twice, whatever becomes of the entry.
  let versions = 0;

  function read(key: string): StoredValue | undefined {
    const row = current(key);
    return row && { value: row.value, version: row.version };
  }

  /** Compares and sets in one synchronous step. */
  function write(key: string, value: string | undefined, { ifVersion, ttl }: Conditions): string | undefined {
    if (typeof ifVersion !== "string" && ifVersion !== null) throw new TypeError("`ifVersion` must be a version, or null");
    if ((current(key)?.version ?? null) !== ifVersion) return undefined;
    const version = String((versions += 1));
    if (value === undefined) rows.delete(key);
    else rows.set(key, { value, version, endsAt: ttl === undefined ? Infinity : performance.now() + ttl });
    sweep();
    notify(key);
    return version;
  }

  function watch(key: string, listener: () => void): () => void {
    const listeners = watchers.get(key) ?? new Set();
    watchers.set(key, listeners);
    // A function of our own, so that a listener may watch twice.
    const entry = () => listener();
    listeners.add(entry);
    return () => {
      listeners.delete(entry);
      if (listeners.size === 0 && watchers.get(key) === listeners) watchers.delete(key);
    };
  }

  function current(key: string): Row | undefined {
    const row = rows.get(key);
    if (row === undefined || row.endsAt > performance.now()) return row;
    rows.delete(key);
    return undefined;
  }

  function sweep(): void {
    for (let looked = 0; looked < SWEEP; looked += 1) {
      const next = sweeper.next();
      if (next.done === true) sweeper = rows.entries();
      else current(next.value[0]);
    }
  }

  /** Later, and one by one: whoever writes is not to run the code of others. */
  function notify(key: string): void {
    for (const listener of watchers.get(key) ?? []) {
      // A hint that its listener fails to take is lost; nobody else is harmed.
      Promise.resolve()
        .then(() => (watchers.get(key)?.has(listener) === true ? listener() : undefined))
        .catch(() => {});
    }
  }

  return { scope: "context", locks: createLocks(), read, write, watch };
}
