/**
 * What the record of a session means to an app that keeps tokens in a format of its own, and back. Pure.
 *
 * The record's members are those of `src/protocol/record.rs`; all but its tokens are handed on as they are. Must not know when
 * anything is read or written.
 */

import type { TokenSet } from "../types.js";

/** Tokens as an app has stored them: those members of a {@link TokenSet} that its format has room for. */
export interface StoredTokens {
  accessToken?: string | undefined;
  refreshToken?: string | undefined;
  /** When the access token ends: wall clock, milliseconds since the epoch. Absent: it counts as expired. */
  expiresAt?: number | undefined;
  tokenType?: string | undefined;
  scope?: string | undefined;
  idToken?: string | undefined;
  extra?: Readonly<Record<string, unknown>> | undefined;
}

/** The grant of a record, `Grant` in `src/protocol/tokens.rs`. */
interface Grant extends Omit<StoredTokens, "refreshToken"> {
  expiresAt: number;
  /** Wall clock, milliseconds since the epoch. */
  issuedAt: number;
  /** The generation that minted it. */
  minted: number;
}

/** The members of a record that this translation touches; the others travel along. */
export interface SessionRecord {
  v: number;
  state: "active" | "rejected" | "out";
  sid: string;
  generation: number;
  refreshToken?: string | undefined;
  grants?: Record<string, Grant> | undefined;
  sub?: string | undefined;
  revoke?: readonly string[] | undefined;
  [member: string]: unknown;
}

const SCHEMA = 1;

/** A moment before this, in 1973, is one in seconds that was taken for milliseconds. */
const EARLIEST = 1e11;

/** Reads a record's text; the token set in it is what an app stores. */
export function decode(text: string): SessionRecord {
  try {
    return JSON.parse(text) as SessionRecord;
  } catch {
    throw new TypeError("`appStore` keeps tokens in the app's own format, so the option `sealKey` cannot be used with it");
  }
}

/** The tokens an app is to store for this record; none once the session is over. */
export function tokensOf(record: SessionRecord): TokenSet | undefined {
  if (record.state !== "active") return undefined;
  const { issuedAt: _issuedAt, minted: _minted, extra, ...shown }: Partial<Grant> = record.grants?.[shownKey(record)] ?? {};
  const { refreshToken } = record;
  return Object.freeze({
    expiresAt: 0,
    ...shown,
    ...(refreshToken !== undefined && { refreshToken }),
    extra: Object.freeze({ ...extra }),
  }) as TokenSet;
}

/** Does the storage still hold these tokens? What its format has no room for is not missed. */
export function holds(stored: StoredTokens | undefined, tokens: TokenSet | undefined): boolean {
  if (stored === undefined || tokens === undefined) return stored === tokens;
  if (stored.refreshToken !== tokens.refreshToken) return false;
  if (stored.accessToken !== undefined) return stored.accessToken === tokens.accessToken;
  return stored.refreshToken !== undefined || stored.expiresAt === tokens.expiresAt;
}

/** What `load` returned, checked: one's own mistake should not look like a user who has signed out. */
export function checked(loaded: unknown): StoredTokens | undefined {
  if (loaded === undefined || loaded === null) return undefined;
  if (typeof loaded !== "object" || Array.isArray(loaded)) throw new TypeError("`load` must return tokens, or undefined");
  const given = loaded as Record<string, unknown>;
  const stored: StoredTokens = {};
  for (const name of ["accessToken", "refreshToken", "tokenType", "scope", "idToken"] as const) {
    const value = own(given, name);
    if (value === undefined || value === null || value === "") continue;
    if (typeof value !== "string") throw new TypeError(`\`${name}\` from \`load\` must be a string`);
    stored[name] = value;
  }
  const expiresAt = own(given, "expiresAt");
  if (typeof expiresAt === "number" && Number.isFinite(expiresAt)) {
    if (expiresAt > 0 && expiresAt < EARLIEST) throw new TypeError("`expiresAt` from `load` must be in milliseconds");
    stored.expiresAt = Math.trunc(expiresAt);
  }
  const extra = own(given, "extra");
  if (typeof extra === "object" && extra !== null) stored.extra = extra as Record<string, unknown>;
  const says = stored.refreshToken ?? stored.accessToken ?? stored.expiresAt;
  if (says === undefined) throw new TypeError("`load` must return tokens, or undefined: there is none in what it returned");
  return stored;
}

/**
 * The record after somebody else has changed the storage: `was` is what lay there before.
 *
 * Nothing there any more: signed out. Tokens for the same user, as far as the id tokens tell: the session, refreshed by somebody
 * else. Anything else: a session that has just begun.
 */
export function changed(was: SessionRecord | undefined, stored: StoredTokens | undefined, sid: string, now: number): SessionRecord {
  const carried = was?.revoke === undefined ? {} : { revoke: was.revoke };
  if (stored === undefined) return { v: SCHEMA, state: "out", sid: was?.sid ?? sid, generation: was?.generation ?? 0, ...carried };
  const sub = subject(stored.idToken);
  const goesOn = was?.state === "active" && (sub === undefined || was.sub === undefined || sub === was.sub);
  if (!goesOn) {
    return { v: SCHEMA, state: "active", sid, generation: 0, ...carried, ...(sub && { sub }), ...tokens(stored, "", 0, now) };
  }
  const { intent: _intent, sends: _sends, retryAt: _retryAt, failures: _failures, spare: _spare, grants, ...rest } = was;
  const key = shownKey(was);
  // The same refresh token: only the access token is another one. Whoever is presenting the refresh token goes on.
  if (stored.refreshToken === was.refreshToken) {
    const { generation } = was;
    return { ...was, grants: { ...grants, ...tokens(stored, key, generation, now).grants } };
  }
  const generation = was.generation + 1;
  return { ...rest, generation, ...(sub && { sub }), refreshToken: undefined, ...tokens(stored, key, generation, now) };
}

function tokens(stored: StoredTokens, key: string, minted: number, now: number): Pick<SessionRecord, "refreshToken" | "grants"> {
  const { refreshToken, expiresAt, ...shown } = stored;
  const grant = { ...shown, expiresAt: expiresAt ?? 0, issuedAt: Math.min(now, expiresAt ?? 0), minted };
  const grants = shown.accessToken === undefined && expiresAt === undefined ? {} : { [key]: grant };
  return { ...(refreshToken !== undefined && { refreshToken }), grants };
}

/** Under which request parameters the grant is kept that an app sees: none if there is one for these, else the newest. */
function shownKey({ grants = {} }: SessionRecord): string {
  if (grants[""] !== undefined) return "";
  const [newest] = Object.entries(grants).sort(([, a], [, b]) => b.minted - a.minted || b.issuedAt - a.issuedAt);
  return newest?.[0] ?? "";
}

/** `sub` of an id token (OpenID Connect Core 2). Not verified: it is only compared. */
function subject(idToken: string | undefined): string | undefined {
  try {
    const payload = idToken?.split(".")[1]?.replaceAll("-", "+").replaceAll("_", "/") ?? "";
    const bytes = Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0));
    const { sub } = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown };
    return typeof sub === "string" ? sub : undefined;
  } catch {
    return undefined;
  }
}

function own(of: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(of, name) ? of[name] : undefined;
}
