/**
 * The values of an IndexedDB database: each write compares and sets in one transaction, and what belongs to a value elsewhere
 * can be done in the same one, so that it is done in the order of the values.
 *
 * Values may be sealed. That is done before a transaction, which would not wait for it; the key is compared within. What others
 * have sealed, or left unsealed, is read either way. Must not know what the values mean.
 */

import type { Store, StoredValue } from "../types.js";
import type { Connection, Row, Transaction } from "./connection.js";
import { freshKey, open, seal, unopened, type Sealed, type SealingKey } from "./sealing.js";

type Conditions = Parameters<Store["write"]>[2];

/** How many expired entries a write that adds one clears away: more than one, so that they cannot pile up. */
const SWEEP = 4;

/** Length of a version in bytes: so many that none is ever drawn twice, also after the user has cleared the site's data. */
const RANDOM_BYTES = 16;

/**
 * Where the key is kept: among the values, so that whoever finds a value finds its key, in the same transaction. It is no text,
 * so no value can be there. The layout of the database stays as it was.
 */
const SEALING_KEY = ["sealing key"] as unknown as string;

/** How often a value is sealed anew because the key has been lost meanwhile, with the database. */
const TRIES = 3;

/** Begins every value that the core has sealed by itself, `HEADER` in `src/host/seal.rs`. Once is enough. */
export const SEALED_BY_CORE = "rc1.";

export class Records {
  readonly #connection: Connection;
  readonly #sealed: boolean;
  /** As it was last seen in the database. */
  #key: SealingKey | undefined;

  constructor(connection: Connection, sealed = false) {
    this.#connection = connection;
    this.#sealed = sealed;
  }

  async read(key: string): Promise<StoredValue | undefined> {
    const row = await this.#connection.run("readonly", async (records) => {
      const row = await records.get(key);
      if (isSealed(row) && row.value.by !== this.#key?.id) this.#key = await storedKey(records);
      return row;
    });
    if (!isLive(row)) return undefined;
    const { value, version } = row;
    return { value: typeof value === "string" ? value : await this.#open(key, value, version), version };
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
    for (let left = TRIES; left > 0; left -= 1) {
      const stored = await this.#stored(key, value);
      const outcome = await this.#connection.run("readwrite", async (records) => {
        const row = await records.get(key);
        if ((isLive(row) ? row.version : null) !== ifVersion) return { version: undefined };
        if (typeof stored === "object" && (await storedKey(records))?.id !== stored.by) return "another key";
        const version = randomText();
        if (stored === undefined) await records.delete(key);
        else await records.put({ value: stored, version, ...(ttl !== undefined && { endsAt: Date.now() + ttl }) }, key);
        written?.();
        if (ttl !== undefined) await sweep(records);
        return { version };
      });
      if (outcome !== "another key") return outcome.version;
      this.#key = undefined;
    }
    throw new Error("the key that values are sealed with keeps changing");
  }

  /** Does something, in the same order, for a value that was read, if it is still there. */
  async whileAt(key: string, version: string, work: () => void): Promise<void> {
    await this.#connection.run("readonly", async (records) => {
      const row = await records.get(key);
      if (isLive(row) && row.version === version) work();
    });
  }

  /** A value as it is to be stored. */
  async #stored(key: string, value: string | undefined): Promise<string | Sealed | undefined> {
    if (!this.#sealed || value === undefined || value.startsWith(SEALED_BY_CORE)) return value;
    return seal(await this.#sealingKey(), key, value);
  }

  async #open(key: string, sealed: Sealed, version: string): Promise<string> {
    if (this.#key?.id !== sealed.by) throw unopened(version, undefined);
    try {
      return await open(this.#key, key, sealed);
    } catch (error) {
      throw (error as Error).name === "OperationError" ? unopened(version, error) : error;
    }
  }

  /** The key of the database; the first that is made stays, whoever made it. */
  async #sealingKey(): Promise<SealingKey> {
    this.#key ??= await this.#connection.run("readonly", storedKey);
    if (this.#key !== undefined) return this.#key;
    const fresh = await freshKey(randomText());
    return (this.#key = await this.#connection.run("readwrite", async (records) => {
      const first = await storedKey(records);
      if (first === undefined) await records.put(fresh as unknown as Row, SEALING_KEY);
      return first ?? fresh;
    }));
  }
}

function isLive(row: Row | undefined): row is Row {
  return row !== undefined && (row.endsAt === undefined || row.endsAt > Date.now());
}

function isSealed(row: Row | undefined): row is Row & { value: Sealed } {
  return row !== undefined && typeof row.value !== "string";
}

async function storedKey(records: Transaction<"readonly" | "readwrite">["store"]): Promise<SealingKey | undefined> {
  return (await records.get(SEALING_KEY)) as unknown as SealingKey | undefined;
}

/** Clears away what has expired, a few at a time. */
async function sweep(records: Transaction<"readwrite">["store"]): Promise<void> {
  const expired = await records.index("endsAt").getAllKeys(IDBKeyRange.upperBound(Date.now()), SWEEP);
  await Promise.all(expired.map((key) => records.delete(key)));
}

function randomText(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
