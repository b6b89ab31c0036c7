/**
 * What is in the file of a `fileStore`, as text and as records. Pure.
 *
 * ```json
 * {
 *   "somebody": "else's member, kept as it is",
 *   "refresh-coordinator": {
 *     "v": 1,
 *     "revision": "9f0c…",
 *     "records": { "<key>": { "version": "41d7…", "value": "…", "endsAt": 1700000000000 } }
 *   }
 * }
 * ```
 *
 * Must not know of any file.
 */

import { StoreError } from "../errors.js";
import type { StoredValue } from "../types.js";
import { withMember } from "./json-member.js";

/** The name of our member: the only one we read and write. */
const MEMBER = "refresh-coordinator";

/** The layout of our member that this version of the package knows. */
const SCHEMA = 1;

/** One value of a key. */
interface Row extends StoredValue {
  /** Wall clock, milliseconds since the epoch: the only clock that processes share. Absent: never. */
  readonly endsAt?: number;
}

/** Our member. What a later version of this layout adds is kept. */
interface Section {
  readonly v: number;
  /** Another one after every write. */
  readonly revision: string;
  readonly records: Readonly<Record<string, Row>>;
}

/** The revision of a text in any layout, also a later one: it has to be where it is now, for it says who is writing. */
export function revisionIn(text: string | undefined): string | undefined {
  try {
    const section = own(membersOf(text ?? "", ""), MEMBER);
    const revision = isObject(section) ? section.revision : undefined;
    return typeof revision === "string" && ID.test(revision) ? revision : undefined;
  } catch {
    return undefined;
  }
}

export class FileContent {
  readonly #text: string;
  readonly #section: Section | undefined;

  /** @throws StoreError `store-format` or `store-newer` */
  constructor(text: string | undefined, file: string) {
    this.#text = text ?? "";
    this.#section = sectionOf(own(membersOf(this.#text, file), MEMBER), file);
  }

  /** Of the last write; `undefined` before the first one. */
  get revision(): string | undefined {
    return this.#section?.revision;
  }

  /** Whether there is anything of ours in it that is nobody else's business. */
  get hasRecords(): boolean {
    return Object.keys(this.#section?.records ?? {}).length > 0;
  }

  /** The value of a key, unless its time is over. */
  find(key: string, now: number): StoredValue | undefined {
    const row = own(this.#section?.records ?? {}, key);
    return row && isLive(row, now) ? { value: row.value, version: row.version } : undefined;
  }

  /** The text after a write; `undefined` as row deletes. What has expired goes with it. */
  with(key: string, row: Row | undefined, revision: string, now: number): string {
    const records = new Map(Object.entries(this.#section?.records ?? {}).filter(([, row]) => isLive(row, now)));
    if (row === undefined) records.delete(key);
    else records.set(key, row);
    return withMember(this.#text, MEMBER, { ...this.#section, v: SCHEMA, revision, records: Object.fromEntries(records) });
  }
}

function isLive({ endsAt }: Row, now: number): boolean {
  return endsAt === undefined || endsAt > now;
}

function membersOf(text: string, file: string): Record<string, unknown> {
  if (text.trim() === "") return {};
  let members: unknown;
  try {
    members = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    // What the parser says may quote the file.
    throw unreadable(file, "is not JSON");
  }
  if (!isObject(members)) throw unreadable(file, "is JSON, but no object");
  return members;
}

function sectionOf(section: unknown, file: string): Section | undefined {
  if (section === undefined) return undefined;
  const { v, revision, records } = isObject(section) ? section : ({} as Record<string, unknown>);
  if (typeof v === "number" && v > SCHEMA) {
    const message = `\`${file}\` was written by a newer version of this package (layout ${v}; this one knows ${SCHEMA}): update. It was left as it is`;
    throw new StoreError(message, { code: "store-newer" });
  }
  const isOurs = v === SCHEMA && typeof revision === "string" && ID.test(revision) && isObject(records);
  if (!isOurs || !Object.values(records).every(isRow)) throw unreadable(file, `has a member \`${MEMBER}\` that this package has not written`);
  return section as Section;
}

/** A revision becomes part of the name of a file. */
const ID = /^[0-9a-f]{1,64}$/;

function isRow(row: unknown): row is Row {
  if (!isObject(row)) return false;
  const { value, version, endsAt } = row;
  return typeof value === "string" && typeof version === "string" && (endsAt === undefined || typeof endsAt === "number");
}

function unreadable(file: string, what: string): StoreError {
  return new StoreError(`\`${file}\` ${what}. It was left as it is: repair it, or name another file`, { code: "store-format" });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Also a member called `__proto__` is one like any other. */
function own<T>(of: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(of, name) ? of[name] : undefined;
}
