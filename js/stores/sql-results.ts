/** What the common database clients resolve with, read alike; and texts that every database can keep. */

/** Rows that were found, or how many were written. */
export interface Result {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly count: number;
}

/**
 * Understands an array of rows (postgres, node:sqlite, Prisma), `{ rows }` (pg), `[rows, fields]` and `[{ affectedRows }, fields]` (mysql2),
 * `{ affectedRows }` (mariadb) and `{ changes }` (better-sqlite3).
 */
export function resultOf(given: unknown): Result {
  if (Array.isArray(given)) {
    const [first] = given as unknown[];
    if (Array.isArray(first) || isCounted(first)) return resultOf(first);
    return rowsOf(given);
  }
  if (typeof given === "object" && given !== null) {
    const { rows, affectedRows, changes } = given as { rows?: unknown; affectedRows?: unknown; changes?: unknown };
    if (Array.isArray(rows)) return rowsOf(rows);
    for (const count of [affectedRows, changes]) {
      if (typeof count === "number" || typeof count === "bigint") return { rows: [], count: Number(count) };
    }
  }
  throw new TypeError("`query` must resolve with an array of rows, or with what `pg`, `mysql2` or `node:sqlite` return");
}

function rowsOf(rows: unknown[]): Result {
  return { rows: rows as Result["rows"], count: rows.length };
}

function isCounted(value: unknown): boolean {
  return typeof value === "object" && value !== null && "affectedRows" in value;
}

// Postgres keeps no NUL in a text.
const NUL = "\u0000";

/** A text without NUL that stands for this one: mostly itself. */
export function storable(text: string): string {
  return text.includes(NUL) || text.includes("\\") ? text.replaceAll("\\", "\\\\").replaceAll(NUL, "\\0") : text;
}

/** The text that stands for. */
export function restored(text: string): string {
  return text.replaceAll(/\\(.)/gs, (_, letter: string) => (letter === "0" ? NUL : letter));
}
