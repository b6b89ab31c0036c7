/** What the common database clients resolve with, read alike; and texts that every database can keep. */

/** Rows that were found or returned, and how many were written: as much as the client says. */
export interface Result {
  readonly rows?: readonly Readonly<Record<string, unknown>>[];
  readonly written?: number;
}

/**
 * Understands an array of rows (postgres, node:sqlite, Prisma), `{ rows }` (pg), `{ rows, rowsAffected }` (libsql, PlanetScale),
 * `[rows, fields]` and `[{ affectedRows }, fields]` (mysql2), `{ affectedRows }` (mariadb), `{ changes }` (better-sqlite3), and a number
 * (Prisma's `$executeRawUnsafe`).
 */
export function resultOf(given: unknown): Result {
  if (Array.isArray(given)) {
    const [first] = given as unknown[];
    if (Array.isArray(first) || isCounted(first)) return resultOf(first);
    return { rows: given as Result["rows"] & object };
  }
  if (isNumber(given)) return { written: Number(given) };
  const { rows, affectedRows, rowsAffected, changes } = Object(given) as Record<string, unknown>;
  const count = [affectedRows, rowsAffected, changes].find(isNumber);
  if (!Array.isArray(rows) && count === undefined) throw noRows();
  return {
    ...(Array.isArray(rows) && { rows: rows as Result["rows"] & object }),
    ...(count !== undefined && { written: Number(count) }),
  };
}

/** The rows of a statement that reads. */
export function rowsOf({ rows }: Result): Result["rows"] & object {
  if (rows === undefined) throw noRows();
  return rows;
}

/** Has the statement written anything? `returns`: it returns a row for each that it wrote. */
export function hasWritten({ rows, written }: Result, returns: boolean): boolean {
  // There are no rows either way: what was written would be taken for a conflict.
  if (!returns && written === undefined) {
    throw new TypeError("`query` must resolve with the number of rows that were written (`affectedRows`)");
  }
  return (returns && rows !== undefined && rows.length > 0) || (written ?? 0) > 0;
}

function isCounted(value: unknown): boolean {
  return typeof value === "object" && value !== null && "affectedRows" in value;
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function noRows(): TypeError {
  return new TypeError("`query` must resolve with an array of rows, or with what `pg`, `mysql2` or `node:sqlite` return");
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
