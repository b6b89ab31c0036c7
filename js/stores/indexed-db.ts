/**
 * A store in IndexedDB: for all pages and workers of an origin. Each write compares and sets in one transaction, and what one
 * tab has written every other one reads at once, which is not true of `localStorage`.
 *
 * Must not know what the values mean.
 */

import type { Store, StoredValue } from "../types.js";
import { Connection, type Row, type Transaction } from "./connection.js";

type Conditions = Parameters<Store["write"]>[2];

/** Where an {@link indexedDbStore} keeps its values. */
export interface IndexedDbOptions {
  /** The name of the database. Default: `refresh-coordinator`. */
  database?: string;
}

/** A store in IndexedDB. */
export interface IndexedDbStore extends Store {
  readonly scope: "origin";
  read(key: string): Promise<StoredValue | undefined>;
  write(key: string, value: string | undefined, conditions: Conditions): Promise<string | undefined>;
}

/** How many expired entries a write that adds one clears away: more than one, so that they cannot pile up. */
const SWEEP = 4;

/** Length of a version in bytes: so many that none is ever drawn twice, also after the user has cleared the site's data. */
const VERSION_BYTES = 16;

/**
 * Makes a store in IndexedDB, the default in pages and workers. Opens its database at the first use.
 *
 * `read` and `write` reject with a `StoreError`: `store-unavailable` where there is no IndexedDB (sandboxed frames, some private
 * windows), `store-full` when the site's quota is used up. A time to live counts on the wall clock.
 *
 * @example
 * ```ts
 * import { indexedDbStore } from "refresh-coordinator/stores/web";
 * const auth = new RefreshCoordinator({ ...options, store: indexedDbStore({ database: "my-app" }) });
 * ```
 */
export function indexedDbStore({ database = "refresh-coordinator" }: IndexedDbOptions = {}): IndexedDbStore {
  const connection = new Connection(database);

  async function read(key: string): Promise<StoredValue | undefined> {
    const row = await connection.run("readonly", (records) => records.get(key));
    return isLive(row) ? { value: row.value, version: row.version } : undefined;
  }

  async function write(key: string, value: string | undefined, { ifVersion, ttl }: Conditions): Promise<string | undefined> {
    if (typeof ifVersion !== "string" && ifVersion !== null) throw new TypeError("`ifVersion` must be a version, or null");
    return connection.run("readwrite", async (records) => {
      const row = await records.get(key);
      if ((isLive(row) ? row.version : null) !== ifVersion) return undefined;
      const version = freshVersion();
      if (value === undefined) await records.delete(key);
      else await records.put({ value, version, ...(ttl !== undefined && { endsAt: Date.now() + ttl }) }, key);
      if (ttl !== undefined) await sweep(records);
      return version;
    });
  }

  return { scope: "origin", read, write };
}

function isLive(row: Row | undefined): row is Row {
  return row !== undefined && (row.endsAt === undefined || row.endsAt > Date.now());
}

/** Clears away what has expired, a few at a time. */
async function sweep(records: Transaction<"readwrite">["store"]): Promise<void> {
  const expired = await records.index("endsAt").getAllKeys(IDBKeyRange.upperBound(Date.now()), SWEEP);
  await Promise.all(expired.map((key) => records.delete(key)));
}

function freshVersion(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(VERSION_BYTES)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
