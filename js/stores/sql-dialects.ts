/**
 * What differs between databases: how a parameter is written, what time it is, and how a row is put in the place of an expired one.
 *
 * Must not know what the rows mean. Time is the database's own, in milliseconds since the epoch: the clocks of servers differ.
 */

/** The databases that are known. */
export type SqlDialectName = "postgres" | "mysql" | "sqlite";

export interface Dialect {
  /** The statement with parameters as this database writes them. They stand as `?`, in order. */
  parameters(statement: string): string;
  /** The time. */
  readonly now: string;
  /** A parameter that is a number of milliseconds, or null. */
  readonly milliseconds: string;
  /** Types of the columns. */
  readonly types: { readonly key: string; readonly value: string; readonly version: string };
  /** What makes a write return a row, or nothing where the number of rows is told anyway. */
  readonly returning: string;
  /**
   * Inserts a row if there is none, or only an expired one, and says by a returned or a counted row that it did. `before` takes
   * the key, and clears the way where one statement cannot do it.
   */
  readonly claim: (table: string) => { readonly before?: string; readonly insert: string };
  /** Does the error mean that somebody else was there first? */
  readonly isConflict?: (error: unknown) => boolean;
  /** Does it mean that the statement was undone because others were at work at the same time, and is to be tried again? */
  readonly isUndone?: (error: unknown) => boolean;
  /** Deletes what has expired, a few rows at a time. */
  readonly sweep: (table: string) => string;
  /** Sends the notification that a statement, given as text that returns a row for each row written, leads to. */
  readonly notified?: (statement: string, channel: string) => string;
}

const COLUMNS = "(id, value, version, ends_at)";

/** `ER_DUP_ENTRY` of MySQL. */
const DUPLICATE_KEY = 1062;

/** `ER_LOCK_DEADLOCK` of MySQL, also said by a cluster of several masters, and `ER_CHECKREAD` of MariaDB. */
const UNDONE_BY_MYSQL = [1213, 1020];

/** `serialization_failure` and `deadlock_detected` of Postgres, and of those that speak its protocol. */
const UNDONE_BY_POSTGRES = ["40001", "40P01"];

/** Expired rows that one write clears away at most. */
const SWEEP = 16;

// The time when a row is looked at, perhaps after waiting for whoever has locked it. And the time when the statement began, which
// does not change meanwhile: only with such a one the database finds what has expired by its index.
const postgresNow = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
const postgresStart = "(extract(epoch FROM statement_timestamp()) * 1000)::bigint";
const sqliteNow = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";
const mysqlStart = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)";
// `SYSDATE` is local time, in which an hour of autumn is there twice: only for what has passed since the beginning.
const mysqlNow = `(${mysqlStart} + TIMESTAMPDIFF(MICROSECOND, NOW(3), SYSDATE(3)) DIV 1000)`;

export const DIALECTS: Readonly<Record<SqlDialectName, Dialect>> = {
  postgres: {
    parameters(statement) {
      let count = 0;
      return statement.replaceAll("?", () => `$${(count += 1)}`);
    },
    now: postgresNow,
    milliseconds: "?::bigint",
    types: { key: "text", value: "text", version: "text" },
    returning: "RETURNING id",
    claim: upsert(postgresNow, "?::bigint"),
    sweep: (table) =>
      `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE ends_at <= ${postgresStart} LIMIT ${SWEEP} FOR UPDATE SKIP LOCKED)`,
    isUndone: (error) => said(error, "code", UNDONE_BY_POSTGRES),
    notified: (statement, channel) => `WITH written AS (${statement}) SELECT id, pg_notify('${channel}', id) FROM written`,
  },
  sqlite: {
    parameters: (statement) => statement,
    now: sqliteNow,
    milliseconds: "?",
    types: { key: "TEXT", value: "TEXT", version: "TEXT" },
    returning: "RETURNING id",
    claim: upsert(sqliteNow, "?"),
    sweep: (table) => `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE ends_at <= ${sqliteNow} LIMIT ${SWEEP})`,
  },
  mysql: {
    parameters: (statement) => statement,
    now: mysqlNow,
    milliseconds: "?",
    // Bytes: its texts know neither the case of letters nor blanks at the end.
    types: { key: "varbinary(1024)", value: "longtext CHARACTER SET utf8mb4", version: "varchar(32) CHARACTER SET ascii COLLATE ascii_bin" },
    returning: "",
    claim: (table) => ({
      before: `DELETE FROM ${table} WHERE id = ? AND ends_at <= ${mysqlNow}`,
      // Not IGNORE, which would also cut a key that is too long.
      insert: `INSERT INTO ${table} ${COLUMNS} VALUES (?, ?, ?, ${mysqlNow} + ?)`,
    }),
    isConflict: (error) => said(error, "errno", [DUPLICATE_KEY]),
    isUndone: (error) => said(error, "errno", UNDONE_BY_MYSQL),
    sweep: (table) => `DELETE FROM ${table} WHERE ends_at <= ${mysqlStart} LIMIT ${SWEEP}`,
  },
};

/** Puts the new row there if there is none, or if the old one has expired, or is this very one, which a client has sent a second time. */
function upsert(now: string, milliseconds: string): Dialect["claim"] {
  return (table) => ({
    insert:
      `INSERT INTO ${table} AS old ${COLUMNS} VALUES (?, ?, ?, ${now} + ${milliseconds}) ` +
      "ON CONFLICT (id) DO UPDATE SET value = excluded.value, version = excluded.version, ends_at = excluded.ends_at " +
      `WHERE old.ends_at <= ${now} OR old.version = excluded.version RETURNING id`,
  });
}

/** Is it one of these that the error says, or the error of the client that it wraps? */
function said(error: unknown, member: "code" | "errno", values: readonly unknown[]): boolean {
  const { cause } = Object(error) as { cause?: unknown };
  return [error, cause].some((one) => values.includes((Object(one) as Record<string, unknown>)[member]));
}
