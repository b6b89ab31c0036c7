/**
 * The values of an IndexedDB database: each write compares and sets in one transaction, and what belongs to a value elsewhere
 * can be done in the same one, so that it is done in the order of the values.
 *
 * Must not know what the values mean.
 */

import type { Store, StoredValue } from "../types.js";
import type { Connection, Row, Transaction } from "./connection.js";

type Conditions = Parameters<Store["write"]>[2];

/** How many expired entries a write that adds one clears away: more than one, so that they cannot pile up. */
const SWEEP = 4;

/** Length of a version in bytes: so many that none is ever drawn twice, also after the user has cleared the site's data. */
const VERSION_BYTES = 16;

export class Records {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async read(key: string): Promise<StoredValue | undefined> {
    const row = await this.#connection.run("readonly", (records) => records.get(key));
    return isLive(row) ? { value: row.value, version: row.version } : undefined;
  }

  /**
   * Writes if the version still is `ifVersion`. `written` is called, perhaps more than once, while nobody else can write: what
   * it does at once comes after all that was done so for earlier values, and before all that is done for later ones.
   */
  async write(
    key: string,
    value: string | undefined,
    { ifVersion, ttl }: Conditions,
    written?: () => void,
  ): Promise<string | undefined> {
    if (typeof ifVersion !== "string" && ifVersion !== null) throw new TypeError("`ifVersion` must be a version, or null");
    return this.#connection.run("readwrite", async (records) => {
      const row = await records.get(key);
      if ((isLive(row) ? row.version : null) !== ifVersion) return undefined;
      const version = freshVersion();
      if (value === undefined) await records.delete(key);
      else await records.put({ value, version, ...(ttl !== undefined && { endsAt: Date.now() + ttl }) }, key);
      written?.();
      if (ttl !== undefined) await sweep(records);
      return version;
    });
  }

  /** Does something, in the same order, for a value that was read, if it is still there. */
  async whileAt(key: string, version: string, work: () => void): Promise<void> {
    await this.#connection.run("readonly", async (records) => {
      const row = await records.get(key);
      if (isLive(row) && row.version === version) work();
    });
  }
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
