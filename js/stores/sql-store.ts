/**
 * A store in a table of Postgres, MySQL or SQLite: for all servers that share the database. A write is one statement that looks at
 * the version of the row, and that the database carries out for one of those who try.
 *
 * Must not know what the values mean.
 */

import { StoreError } from "../errors.js";
import type { MaybePromise, Store, StoredValue } from "../types.js";
import { storeFailure } from "./failure.js";
import { Hints } from "./hints.js";
import { checkLag } from "./lag.js";
import { DIALECTS, type Dialect, type SqlDialectName } from "./sql-dialects.js";
import { sqlListening, type SqlListen } from "./sql-listening.js";
import { hasWritten, restored, resultOf, rowsOf, storable, type Result } from "./sql-results.js";
import { freshVersion, VERSION_LENGTH } from "./version.js";

export type { SqlListen };

type Conditions = Parameters<Store["write"]>[2];

/**
 * Runs one statement, in a transaction of its own, and resolves with its rows, or with what the client resolves with (`pg`, `postgres`,
 * `mysql2`, `node:sqlite`).
 */
export type SqlQuery = (statement: string, values: (string | number | null)[]) => MaybePromise<unknown>;

/** What {@link sqlStore} is made of. */
export interface SqlStoreOptions {
  query: SqlQuery;
  /**
   * Postgres: hears of changes that servers with it make, directly and not through a pooler of transactions. Who waits looks again
   * every 2 s all the same; without it, from every 100 ms to every 2 s.
   */
  listen?: SqlListen;
  /** Default: `postgres`. MariaDB is `mysql`. */
  dialect?: SqlDialectName;
  /** Name of the table, with its schema if need be: letters, digits and `_`. Default: `refresh_coordinator`. */
  table?: string;
  /** For how long a read may return the previous value, in milliseconds: where reads go to replicas. Default: 0. */
  lag?: number;
}

/** A store in a table. */
export interface SqlStore extends Store {
  readonly scope: "cluster";
  readonly lag: number;
  read(key: string): Promise<StoredValue | undefined>;
  write(key: string, value: string | undefined, conditions: Conditions): Promise<string | undefined>;
  /** There if `listen` was given. */
  watch?(key: string, listener: () => void): () => void;
}

const TABLE = "refresh_coordinator";
// Databases cut what is longer, or refuse it.
const LONGEST_NAME = 63;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?$/;

/** How often a statement is tried that the database has undone. */
const TRIES = 10;

/** Every so many writes with a time to live one clears away what has expired: more rows than were added since. */
const SWEEP_EVERY = 8;

/**
 * The statement that makes the table, for your migrations.
 *
 * @throws TypeError if the dialect is not known, or the name is of other characters.
 * @example
 * ```ts
 * await pool.query(sqlTable());
 * // CREATE TABLE IF NOT EXISTS refresh_coordinator (
 * //   id text NOT NULL PRIMARY KEY, value text NOT NULL, version text NOT NULL, ends_at bigint);
 * // CREATE INDEX IF NOT EXISTS refresh_coordinator_ends_at ON refresh_coordinator (ends_at)
 * ```
 */
export function sqlTable({ dialect: name = "postgres", table = TABLE }: Pick<SqlStoreOptions, "dialect" | "table"> = {}): string {
  const { types } = checkedDialect(name, table);
  const suffix = "_ends_at";
  const index = `${flat(table).slice(0, LONGEST_NAME - suffix.length)}${suffix}`;
  const columns =
    `id ${types.key} NOT NULL PRIMARY KEY, value ${types.value} NOT NULL, version ${types.version} NOT NULL, ends_at bigint`;
  // MySQL makes no index "if not exists".
  if (name === "mysql") return `CREATE TABLE IF NOT EXISTS ${table} (\n  ${columns}, INDEX ${index} (ends_at))`;
  return `CREATE TABLE IF NOT EXISTS ${table} (\n  ${columns});\nCREATE INDEX IF NOT EXISTS ${index} ON ${table} (ends_at)`;
}

/**
 * Makes a store of a function that runs a statement: that of a pool, not of one transaction. The table must be there
 * ({@link sqlTable}). Times to live count on the database's clock; later writes clear away what has expired, a few rows at a time.
 * Any isolation level will do: what the database undoes because of others (`40001`, a deadlock) is tried again.
 * With `mysql` the query has to say how many rows were written (`affectedRows`, or the number itself).
 *
 * `read` and `write` reject with a `StoreError` (`store-threw`) when the query does: then the outcome is unknown, and the coordinator
 * looks again. Its message carries the database's code (`42P01`, `ECONNREFUSED`) and never a value. Session mode needs the option
 * `sealKey`.
 *
 * @throws TypeError if an option is missing or wrong.
 * @example
 * ```ts
 * import pg from "pg";
 * import { sqlStore } from "refresh-coordinator/stores/sql";
 * // Shorter than `storeTimeout`, or after an outage the database works for callers who have given up. Without the listener for errors
 * // a database that goes away ends the process.
 * const pool = new pg.Pool({ connectionString, connectionTimeoutMillis: 3_000, statement_timeout: 4_000 }).on("error", () => {});
 * const store = sqlStore({
 *   query: (statement, values) => pool.query(statement, values),
 *   async listen(channel, heard, lost) {
 *     const client = new pg.Client({ connectionString, keepAlive: true });
 *     client.on("notification", ({ payload }) => heard(payload)).on("error", () => {}).on("end", lost);
 *     try {
 *       await client.connect();
 *       await client.query(`LISTEN ${channel}`);
 *       client.unref();
 *     } catch (error) {
 *       await client.end();
 *       throw error;
 *     }
 *     return () => client.end();
 *   },
 * });
 * ```
 */
export function sqlStore(options: SqlStoreOptions): SqlStore {
  const { query, listen, dialect: name = "postgres", table = TABLE, lag = 0 } = Object(options) as SqlStoreOptions;
  if (typeof query !== "function") {
    throw new TypeError("`query` must be a function, as in { query: (statement, values) => pool.query(statement, values) }");
  }
  if (listen !== undefined && typeof listen !== "function") throw new TypeError("`listen` must be a function");
  checkLag(lag);
  const dialect = checkedDialect(name, table);
  // Unlike in `LISTEN`, the name is taken to the letter where notifications are sent.
  const channel = flat(table).slice(0, LONGEST_NAME).toLowerCase();
  if (listen !== undefined && dialect.notified === undefined) {
    throw new TypeError(`\`listen\` cannot be used with ${name}, which sends no notifications`);
  }
  const announced = (text: string) => (listen && dialect.notified ? dialect.notified(text, channel) : text);
  const live = `(ends_at IS NULL OR ends_at > ${dialect.now})`;
  const { before, insert } = dialect.claim(table);
  const statements = {
    read: `SELECT value, version FROM ${table} WHERE id = ? AND ${live}`,
    before,
    insert: announced(insert),
    update: announced(
      `UPDATE ${table} SET value = ?, version = ?, ends_at = ${dialect.now} + ${dialect.milliseconds} ` +
        // A client may send it twice: then the version is the new one.
        `WHERE id = ? AND ((version = ? AND ${live}) OR version = ?) ${dialect.returning}`,
    ),
    delete: announced(`DELETE FROM ${table} WHERE id = ? AND version = ? AND ${live} ${dialect.returning}`),
    sweep: dialect.sweep(table),
  };
  let written = 0;

  async function run(statement: string, values: (string | number | null)[]): Promise<Result> {
    for (let left = TRIES; ; left -= 1) {
      try {
        return resultOf(await query(dialect.parameters(statement), values));
      } catch (error) {
        if (left === 1 || dialect.isUndone?.(error) !== true) throw error;
      }
    }
  }

  async function writes(statement: string, values: (string | number | null)[]): Promise<boolean> {
    return hasWritten(await run(statement, values), dialect.returning !== "");
  }

  async function read(key: string): Promise<StoredValue | undefined> {
    const rows = await run(statements.read, [storable(key)]).then(rowsOf).catch((error: unknown) => {
      throw storeFailure("the database could not be read", error, undefined);
    });
    const [row] = rows;
    if (row === undefined) return undefined;
    const { value, version } = row;
    if (typeof value === "string" && typeof version === "string") return { value: restored(value), version };
    throw new StoreError("`query` must resolve with rows whose members are named like the columns", { code: "store-garbage" });
  }

  async function write(key: string, value: string | undefined, { ifVersion, ttl }: Conditions): Promise<string | undefined> {
    if (typeof ifVersion !== "string" && ifVersion !== null) throw new TypeError("`ifVersion` must be a version, or null");
    // Never a version of ours; and to MySQL it might be one, for blanks at its end do not count there.
    if (ifVersion !== null && ifVersion.length !== VERSION_LENGTH) return undefined;
    const version = await freshVersion();
    // There is nothing to delete, or it is a conflict.
    if (value === undefined && ifVersion === null) return (await read(key)) === undefined ? version : undefined;
    try {
      if (!(await attempt(storable(key), value, version, ifVersion, ttl))) return undefined;
      if (ttl !== undefined && (written += 1) % SWEEP_EVERY === 0) await run(statements.sweep, []).catch(() => {});
      return version;
    } catch (error) {
      if (dialect.isConflict?.(error) === true) return undefined;
      throw storeFailure("the database did not say that it was written", error, value);
    }
  }

  async function attempt(id: string, value: string | undefined, version: string, ifVersion: string | null, ttl: number | undefined) {
    if (value === undefined) return writes(statements.delete, [id, ifVersion]);
    const [text, life] = [storable(value), ttl === undefined ? null : Math.max(1, Math.ceil(ttl))];
    if (ifVersion !== null) return writes(statements.update, [text, version, life, id, ifVersion, version]);
    if (statements.before !== undefined) await run(statements.before, [id]);
    return writes(statements.insert, [id, text, version, life]);
  }

  const hints =
    listen &&
    new Hints(({ heard, begun }) =>
      sqlListening(listen, channel, { heard: (payload) => heard(restored(payload)), begun }),
    );

  return { scope: "cluster", lag, read, write, ...(hints && { watch: hints.watch }) };
}

const flat = (table: string): string => table.replace(".", "_");

function checkedDialect(name: SqlDialectName, table: string): Dialect {
  if (!Object.hasOwn(DIALECTS, name)) throw new TypeError(`\`dialect\` must be one of ${Object.keys(DIALECTS).join(", ")}; MariaDB is mysql`);
  if (typeof table !== "string" || !NAME.test(table)) {
    throw new TypeError("`table` must be a name of at most 63 letters, digits and `_`, which may follow that of its schema and a dot");
  }
  return DIALECTS[name];
}
