/**
 * The connection to the database of {@link indexedDbStore}: opened at the first use, let go when another tab needs that,
 * and opened again.
 *
 * Must not know what the rows mean.
 */

import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from "idb";

import { StoreError } from "../errors.js";
import { onRest, rest } from "../page-rest.js";
import type { Sealed } from "./sealing.js";

/** One value. */
export interface Row {
  readonly value: string | Sealed;
  readonly version: string;
  /** Wall clock, milliseconds since the epoch: the only clock that tabs share. Absent: never. */
  readonly endsAt?: number;
}

export interface Schema extends DBSchema {
  records: { key: string; value: Row; indexes: { endsAt: number } };
}

type Database = IDBPDatabase<Schema>;

export type Transaction<Mode extends "readonly" | "readwrite"> = IDBPTransaction<Schema, ["records"], Mode>;

/** The layout that this version of the package knows. */
const LAYOUT = 1;

/** An attempt to open that takes longer than this is not waited for by the next call, in milliseconds. */
const PATIENCE = 4_000;

/** How often something that the browser has aborted is begun again: it left no trace. */
const RETRIES = 3;

/** What requests of a connection fail with that has died behind our back, as it does in the background on iOS. */
const LOST = ["InvalidStateError", "UnknownError"];

/** One attempt to open the database. */
interface Opening {
  readonly database: Promise<Database>;
  readonly since: number;
  done: boolean;
}

export class Connection {
  readonly #name: string;
  #opening: Opening | undefined;

  constructor(name = "refresh-coordinator") {
    this.#name = name;
  }

  /** Runs work in one transaction, and settles once it is on the disk, or has left no trace. May run it again. */
  async run<T, Mode extends "readonly" | "readwrite">(
    mode: Mode,
    work: (records: Transaction<Mode>["store"]) => Promise<T>,
  ): Promise<T> {
    for (let left = RETRIES; ; left -= 1) {
      try {
        return await this.#once(mode, work);
      } catch (error) {
        const { name } = error as Error;
        // The database was deleted, or the site's data cleared, under our hands. Or the connection died, where looking again
        // does no harm.
        const again = name === "AbortError" || (mode === "readonly" && LOST.includes(name));
        if (left === 0 || !again) throw error;
      }
    }
  }

  async #once<T, Mode extends "readonly" | "readwrite">(
    mode: Mode,
    work: (records: Transaction<Mode>["store"]) => Promise<T>,
  ): Promise<T> {
    const { transaction, opening } = await this.#begin(mode);
    transaction.done.catch(() => {});
    // Left open, it would keep all other tabs waiting for as long as the page rests. It is run again afterwards.
    const stop = onRest(() => abort(transaction));
    try {
      const result = await work(transaction.store);
      await transaction.done;
      return result;
    } catch (error) {
      // A request only knows that it was aborted; the transaction knows why.
      const why = transaction.error ?? error;
      if (LOST.includes((why as Error | undefined)?.name ?? "")) this.#forget(opening);
      throw readable(why);
    } finally {
      stop();
    }
  }

  async #begin<Mode extends "readonly" | "readwrite">(mode: Mode): Promise<{ transaction: Transaction<Mode>; opening: Opening }> {
    for (let again = false; ; again = true) {
      const opening = this.#open();
      const database = await opening.database;
      await rest();
      try {
        return { transaction: database.transaction("records", mode, { durability: "strict" }), opening };
      } catch (error) {
        const { name } = error as Error;
        if (name === "NotFoundError") throw this.#anothers(error);
        // Closed behind our back: nothing has been asked of it yet, so it is safe to try once more.
        if (again || !LOST.includes(name)) throw error;
        this.#forget(opening);
      }
    }
  }

  #anothers(cause: unknown): StoreError {
    const message = `the database \`${this.#name}\` is somebody else's: give another name by the option \`database\``;
    return new StoreError(message, { code: "store-unavailable", cause });
  }

  #open(): Opening {
    const known = this.#opening;
    const now = performance.now();
    if (known !== undefined && (known.done || now - known.since < PATIENCE)) return known;
    const opening: Opening = { database: this.#connect(() => this.#forget(opening)), since: now, done: false };
    this.#opening = opening;
    opening.database.then(
      (database) => {
        opening.done = true;
        // It took so long that another one has taken its place.
        if (this.#opening !== opening) database.close();
      },
      () => this.#forget(opening),
    );
    return opening;
  }

  async #connect(lost: () => void): Promise<Database> {
    let database: Database | undefined;
    const callbacks = {
      upgrade(fresh: Database) {
        fresh.createObjectStore("records").createIndex("endsAt", "endsAt");
      },
      // Another tab upgrades or deletes the database, and waits for everybody to let go of it.
      blocking() {
        database?.close();
        lost();
      },
      terminated: lost,
    };
    try {
      database = await openDB<Schema>(this.#name, LAYOUT, callbacks);
    } catch (error) {
      if ((error as Error).name !== "VersionError") throw unavailable(error as Error);
      // A newer version of this package was here: what this one needs is still there.
      database = await openDB<Schema>(this.#name, undefined, callbacks);
    }
    if (database.objectStoreNames.length === 0) {
      // Somebody has looked into it before there was anything, which makes an empty one.
      const next = database.version + 1;
      database.close();
      database = await openDB<Schema>(this.#name, next, callbacks);
    }
    return database;
  }

  #forget(opening: Opening): void {
    if (this.#opening === opening) this.#opening = undefined;
  }
}

function abort(transaction: { abort(): void }): void {
  try {
    transaction.abort();
  } catch {
    // It has ended, or nothing can keep it from ending.
  }
}

function unavailable(cause: Error): unknown {
  if (cause.name === "QuotaExceededError" || cause.name === "AbortError") return readable(cause);
  const message =
    `IndexedDB cannot be used here (${cause.name}): a sandboxed frame, a private window, or storage that the user has ` +
    "blocked. `store: memoryStore()` keeps the session for as long as the page lives";
  return new StoreError(message, { code: "store-unavailable", cause });
}

/** What a full disk says by the name of its error, said by a code. */
function readable(error: unknown): unknown {
  if ((error as Error | undefined)?.name !== "QuotaExceededError") return error;
  return new StoreError("there is no space left for this site", { code: "store-full", cause: error });
}
