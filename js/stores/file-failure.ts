/** What the system says of a file, as an error with a code that tells a developer what to do. */

import { StoreError } from "../errors.js";

const CODES: Readonly<Record<string, string>> = {
  ENOSPC: "store-full",
  EDQUOT: "store-full",
  EFBIG: "store-full",
  EROFS: "store-read-only",
  EACCES: "store-read-only",
  EPERM: "store-read-only",
};

/** An error that says which file could not be read, and why. */
export function unread(file: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  return new StoreError(`\`${file}\` could not be read (${codeOf(error) || error})`, { code: "store-unreadable" });
}

/** An error that says which file could not be written, and why. */
export function unwritten(file: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const code = codeOf(error);
  return new StoreError(`\`${file}\` could not be written (${code || error})`, { code: CODES[code] ?? "store-threw" });
}

/** The system's code: `ENOENT`, say. */
export function codeOf(error: unknown): string {
  const code: unknown = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : "";
}

/** Settles with `undefined` if it fails with one of these codes. */
export async function unless<T>(codes: readonly string[], work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (codes.includes(codeOf(error))) return undefined;
    throw error;
  }
}
