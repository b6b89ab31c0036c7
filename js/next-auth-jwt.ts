/**
 * What the callback for next-auth keeps in the cookie's token, and what a sign-in, a success or a failure makes of it. Pure.
 *
 * Cookies are chunked at 4 kB and many proxies end at 8: beside the tokens there is one number, and at times a short code.
 */

import { readError } from "./errors.js";
import type { TokenSet } from "./types.js";

/**
 * Why the session cannot go on as it is.
 *
 * - `revoked`, `interaction-required`, `no-refresh-token`: the user must sign in. The third tells a developer that the provider
 *   gave no refresh token (the scope `offline_access` is missing, say).
 * - `transient`: keep the user; worth another try at `retryAt`.
 * - `configuration`: the client, its secret or the endpoint is wrong; the session is kept.
 */
export type JwtErrorCode = "revoked" | "interaction-required" | "no-refresh-token" | "transient" | "configuration";

/** The `error` of a token, made for the session: it holds no secret. */
export interface JwtError {
  readonly code: JwtErrorCode;
  /** `transient`: not before this moment. Wall clock, milliseconds since the epoch. */
  readonly retryAt?: number;
}

/** The members that the callback keeps in the token. For module augmentation: `interface JWT extends FreshJwt {}`. */
export interface FreshJwt {
  accessToken?: string;
  refreshToken?: string;
  /** When the access token ends: wall clock, milliseconds since the epoch. */
  expiresAt?: number;
  /** There while the access token has ended and could not be replaced, and once the session is known to be over. */
  error?: JwtError;
}

/** The tokens in the cookie, and everything else in it. */
export interface Carried<Token> {
  readonly accessToken: string | undefined;
  readonly refreshToken: string | undefined;
  readonly expiresAt: number | undefined;
  /** The token without the members that are about tokens, but with the error of earlier. */
  readonly rest: Token;
}

const CODES = {
  revoked: "revoked",
  // Signed out elsewhere.
  "no-session": "revoked",
  interaction: "interaction-required",
  configuration: "configuration",
  transient: "transient",
  store: "transient",
  internal: "transient",
} as const;

/** The errors that callbacks from the guides of both versions leave behind. */
const FROM_GUIDES: readonly unknown[] = ["RefreshTokenError", "RefreshAccessTokenError"];

/** When nobody says when another try is worth while, in milliseconds from now. */
const SOON = 1_000;
/** A number below is seconds since the epoch: in milliseconds it would be a day of 1973. */
const SECONDS = 1e11;

/** The token after a sign-in with that account; untouched if it brought no access token, or is another provider's. */
export function signedIn<Token extends object>(
  token: Token,
  account: object,
  provider: string | undefined,
  now: number,
): Token & FreshJwt {
  const accessToken = text(account, "access_token");
  if (accessToken === undefined || (provider !== undefined && text(account, "provider") !== provider)) return token;
  const refreshToken = text(account, "refresh_token");
  const lifetime = number(account, "expires_in");
  const expiresAt = moment(number(account, "expires_at")) ?? (lifetime === undefined ? undefined : now + lifetime * 1000);
  return {
    ...without(token, ["accessToken", "refreshToken", "expiresAt", "error"]),
    ...tokensOf({ accessToken, refreshToken, expiresAt }),
    ...(provider === undefined ? {} : { provider }),
  };
}

/**
 * The tokens that the cookie carries, if they are for us. Also as the callbacks from the guides wrote them, so that nobody is
 * signed out by the change to this one.
 */
export function carriedBy<Token extends object>(token: Token, provider: string | undefined): Carried<Token> | undefined {
  if (provider !== undefined && text(token, "provider") !== provider) return undefined;
  const spellings = [
    ["accessToken", "refreshToken", "expiresAt"],
    ["access_token", "refresh_token", "expires_at"],
  ] as const;
  for (const names of spellings) {
    const [accessToken, refreshToken] = [text(token, names[0]), text(token, names[1])];
    if (accessToken === undefined && refreshToken === undefined) continue;
    return { accessToken, refreshToken, expiresAt: moment(number(token, names[2])), rest: without(token, names) };
  }
  return undefined;
}

/** May the access token in the cookie still be used, as far as it says? */
export function isAlive({ accessToken, expiresAt }: Carried<object>, now: number): boolean {
  return accessToken !== undefined && expiresAt !== undefined && expiresAt > now;
}

/** The token with those tokens; an earlier error of ours is gone. */
export function refreshed<Token extends object>({ rest }: Carried<Token>, tokens: TokenSet): Token & FreshJwt {
  const { accessToken, refreshToken, expiresAt } = tokens;
  const healed = isOurs((rest as FreshJwt).error) ? without(rest, ["error"]) : rest;
  return { ...healed, ...tokensOf({ accessToken, refreshToken, expiresAt }) };
}

/** The token after an attempt that failed: it keeps its tokens, for the session may live all the same. */
export function withError<Token extends object>(
  carried: Carried<Token>,
  cause: unknown,
  { alive, forced, now }: { alive: boolean; forced: boolean; now: number },
): Token & FreshJwt {
  const { rest } = carried;
  const token = { ...rest, ...tokensOf(carried) };
  const { kind, code, retryAt } = readError(cause) ?? { kind: "transient" as const, code: "", retryAt: undefined };
  const signInRequired = kind === "revoked" || kind === "no-session" || kind === "interaction";
  // What lives serves. But whoever asked for another token had a reason, and a sign-out elsewhere is final.
  const told = !alive || kind === "no-session" || (forced && signInRequired);
  if (!told) return isPassing((rest as FreshJwt).error) ? without(token, ["error"]) : token;
  const error: JwtError =
    code === "no-refresh-token"
      ? { code }
      : CODES[kind] === "transient"
        ? { code: "transient", retryAt: retryAt ?? now + SOON }
        : { code: CODES[kind] };
  return { ...token, error };
}

function tokensOf({ accessToken, refreshToken, expiresAt }: Omit<Carried<object>, "rest">): FreshJwt {
  return {
    ...(accessToken === undefined ? {} : { accessToken }),
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

function isOurs(error: unknown): boolean {
  const code = codeOf(error);
  return FROM_GUIDES.includes(error) || code === "no-refresh-token" || Object.values<unknown>(CODES).includes(code);
}

/** One of ours that says no more than that there was no valid access token. */
function isPassing(error: unknown): boolean {
  return isOurs(error) && !["revoked", "interaction-required"].includes(codeOf(error) ?? "");
}

function codeOf(error: unknown): string | undefined {
  return typeof error === "object" && error !== null ? text(error, "code") : undefined;
}

function without<Token extends object>(token: Token, names: readonly string[]): Token {
  const left = Object.entries(token).filter(([name]) => !names.includes(name));
  return Object.fromEntries(left) as Token;
}

/** Seconds or milliseconds since the epoch, in milliseconds. */
function moment(value: number | undefined): number | undefined {
  return value !== undefined && value < SECONDS ? value * 1000 : value;
}

function text(of: object, name: string): string | undefined {
  const value = own(of, name);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Some providers write numbers as text. */
function number(of: object, name: string): number | undefined {
  const value = own(of, name);
  const read = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof read === "number" && Number.isFinite(read) ? read : undefined;
}

function own(of: object, name: string): unknown {
  return Object.hasOwn(of, name) ? (of as Record<string, unknown>)[name] : undefined;
}
