/** What a database's client says of a failure, without what it was told to store: some clients repeat the whole command. */

import { StoreError } from "../errors.js";

/** The words of the server that begin its replies (`READONLY`, `OOM`), and nothing else. */
const REPLY_CODE = /^[A-Z]{2,}[A-Z0-9]*(?= |$)/;

/**
 * An error to throw in the place of one of the client's.
 *
 * @param what the sentence's beginning
 * @param error whatever was thrown
 * @param stored what must not show: the value of the command that failed
 */
export function storeFailure(what: string, error: unknown, stored: string | undefined): StoreError {
  const { code, message, name } = Object(error) as { code?: unknown; message?: unknown; name?: unknown };
  const text = typeof message === "string" ? message : "";
  const said = typeof code === "string" && code !== "" ? code : (REPLY_CODE.exec(text)?.[0] ?? (typeof name === "string" ? name : "an error"));
  const detail = isHarmless(text, stored) ? `: ${text}` : "";
  return new StoreError(`${what} (${said})${detail}`, { code: "store-threw" });
}

/** Is it short and plain, and nothing of the value in it? */
function isHarmless(text: string, stored: string | undefined): boolean {
  return text !== "" && text.length <= 200 && !text.includes("command was") && (stored === undefined || !overlaps(text, stored));
}

/** Has the text any eight characters of the value, with or without the quoting of JSON? */
function overlaps(text: string, stored: string): boolean {
  const quoted = JSON.stringify(stored).slice(1, -1);
  for (let at = 0; at + 8 <= text.length; at += 1) {
    const piece = text.slice(at, at + 8);
    if (stored.includes(piece) || quoted.includes(piece)) return true;
  }
  return stored !== "" && stored.length < 8 && text.includes(stored);
}
