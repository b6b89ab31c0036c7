/** Errors, snapshots and token sets as they cross between page and worker, and back. Pure. */

import type { ErrorFields } from "../core.js";
import { makeError, readError, type RefreshError } from "../errors.js";
import type { Snapshot, TokenSet } from "../types.js";
import type { Member, Outcome, ToldError, ToldSnapshot } from "./protocol.js";

/** Everything but its cause and stack, as in `toJSON`: these stay where they can be looked at. */
export function toldError(thrown: unknown): ToldError {
  const known = readError(thrown);
  if (known !== undefined) {
    const { cause: _, ...told } = known;
    return told;
  }
  // What it says, nobody has looked through for tokens.
  const what = thrown instanceof Error ? thrown.name : typeof thrown;
  return { kind: "internal", code: "worker-threw", fault: "host", spent: "maybe", message: `the worker failed with an error that is not of this package (${what})` };
}

/** The error as its own class. */
export function raised({ kind, ...fields }: ToldError): RefreshError {
  return makeError(kind, fields as ErrorFields);
}

export function toldSnapshot({ error, ...snapshot }: Snapshot): ToldSnapshot {
  return { ...snapshot, error: error === undefined ? undefined : toldError(error) };
}

/** `before` if nothing has changed: the same object until it does. */
export function shownSnapshot(told: ToldSnapshot, before: Snapshot): Snapshot {
  const { status, expiresAt, generation } = told;
  const same = status === before.status && expiresAt === before.expiresAt && generation === before.generation;
  const known = before.error === undefined ? undefined : toldError(before.error);
  if (same && sameError(told.error, known)) return before;
  const error = sameError(told.error, known) ? before.error : told.error && raised(told.error);
  return Object.freeze({ status, expiresAt, error, generation });
}

function sameError(one: ToldError | undefined, other: ToldError | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])] as (keyof ToldError)[];
  return names.every((name) => one[name] === other[name]);
}

/**
 * What a page gets. The refresh token is nothing that it could use, so it stays in the worker, where no script of a page can read
 * it; but for `renew`, whose caller carries it.
 */
export function crossing(member: Member, value: unknown, sessionOf: (tokens: TokenSet) => string | undefined): Outcome {
  if (member === "signOut" || member === "renew") return { value };
  const { refreshToken: _, ...tokens } = value as TokenSet;
  return { value: tokens, session: sessionOf(value as TokenSet) };
}

/** What a coordinator in the page would have returned: frozen, as token sets are. */
export function arrived(value: unknown): unknown {
  const { extra } = value as Partial<TokenSet>;
  if (extra !== undefined) Object.freeze(extra);
  return Object.freeze(value);
}
