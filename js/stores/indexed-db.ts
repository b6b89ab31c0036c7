/**
 * A store in IndexedDB: for all pages and workers of an origin. Each write compares and sets in one transaction, and what one
 * tab has written every other one reads at once, which is not true of `localStorage`.
 *
 * Must not know what the values mean.
 */

import type { Store, StoredValue } from "../types.js";
import { Connection } from "./connection.js";
import { Records } from "./records.js";

type Conditions = Parameters<Store["write"]>[2];

/** Where an {@link indexedDbStore} keeps its values. */
export interface IndexedDbOptions {
  /** The name of the database, which is to be for this alone. Default: `refresh-coordinator`. */
  database?: string;
  /**
   * Seals the values: what lies in the database is AES-GCM text under a key that the browser made and keeps there, and that
   * no script can read. Whoever gets at the values alone, a script that sends them home, a copy, a log, has nothing; a script in
   * the page can still ask for them here, and who has the user's whole profile has the key with it. Default: false.
   */
  sealed?: boolean;
}

/** A store in IndexedDB. */
export interface IndexedDbStore extends Store {
  readonly scope: "origin";
  read(key: string): Promise<StoredValue | undefined>;
  write(key: string, value: string | undefined, conditions: Conditions): Promise<string | undefined>;
}

/**
 * Makes a store in IndexedDB, the default in pages and workers. Opens its database at the first use.
 *
 * `read` and `write` reject with a `StoreError`: `store-unavailable` where there is no IndexedDB (sandboxed frames, some private
 * windows), `store-full` when the site's quota is used up. A time to live counts on the wall clock.
 *
 * With `sealed`, what was stored unsealed is read, and sealed with the next write; without it, what was stored sealed is read
 * too, so tabs with the one and the other go together. A value that does not open, for its key is gone or somebody has changed
 * it, is a `StoreError` (`store-sealed`); only a sign-in replaces it. Where there is no WebCrypto nothing is stored:
 * `store-unavailable`. An older version of this package takes sealed values for garbage.
 *
 * @example
 * ```ts
 * import { indexedDbStore } from "refresh-coordinator/stores/web";
 * const auth = new RefreshCoordinator({ ...options, store: indexedDbStore({ database: "my-app" }) });
 * ```
 */
export function indexedDbStore({ database, sealed }: IndexedDbOptions = {}): IndexedDbStore {
  const records = new Records(new Connection(database), sealed);
  return {
    scope: "origin",
    read: (key) => records.read(key),
    write: (key, value, conditions) => records.write(key, value, conditions),
  };
}
