/**
 * What is to stand in an app's localStorage beside a record. Pure.
 *
 * Must not know when anything is read or written.
 */

import type { TokenSet } from "../types.js";
import { type SessionRecord, tokensOf } from "./app-tokens.js";

/** By the name of an item: its text, or `undefined` for none. */
export type ItemFormats = Readonly<Record<string, (tokens: TokenSet) => string | undefined>>;

/** What is to stand in the items; `undefined`: there is to be no such item. */
export interface Mirrored {
  readonly texts: ReadonlyMap<string, string | undefined>;
  /** What a format threw, or that it returned something that is no text. Then there is to be none of the items. */
  readonly wrong?: unknown;
}

/** The schema of records that is understood here, `SCHEMA` in `src/protocol/record.rs`. */
const SCHEMA = 1;

/** The tokens as one JSON item. Without the refresh token, since whoever presents that beside us ends the session. */
export function withoutRefreshToken({ refreshToken: _refreshToken, ...others }: TokenSet): string {
  return JSON.stringify(others);
}

/** What belongs beside this value; `undefined`: it is no record that we understand, so nothing is touched. */
export function mirrored(formats: ItemFormats, value: string): Mirrored | undefined {
  const record = sessionIn(value);
  return record && itemsFor(formats, tokensOf(record));
}

/** The items for these tokens, or for nobody. */
export function itemsFor(formats: ItemFormats, tokens: TokenSet | undefined): Mirrored {
  const texts = new Map<string, string | undefined>();
  let wrong: unknown;
  for (const [name, format] of Object.entries(formats)) {
    try {
      const text: unknown = tokens && format(tokens);
      if (text !== undefined && typeof text !== "string") throw new TypeError(`the item \`${name}\` must be a string, or undefined`);
      texts.set(name, text);
    } catch (error) {
      wrong ??= error ?? new Error("a format threw");
    }
  }
  if (wrong === undefined) return { texts };
  // Half of the items would be worse than none.
  return { texts: new Map(Object.keys(formats).map((name) => [name, undefined])), wrong };
}

function sessionIn(value: string): SessionRecord | undefined {
  try {
    const record = JSON.parse(value) as Partial<SessionRecord> | null;
    return record?.v === SCHEMA && typeof record.state === "string" ? (record as SessionRecord) : undefined;
  } catch {
    return undefined;
  }
}
