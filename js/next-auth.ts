/**
 * The `jwt` callback of next-auth 4 and Auth.js 5: whatever request brings the cookie, and however late, it goes on with the
 * session's current tokens, and the refresh token is presented once.
 *
 * Throwing, or returning `null`, makes both versions delete the session's cookie; so what goes wrong becomes a code in it.
 */

import type { RefreshCoordinator } from "./coordinator.js";
import { wrongArgument } from "./errors.js";
import { type Carried, carriedBy, type FreshJwt, isAlive, refreshed, signedIn, withError } from "./next-auth-jwt.js";
import type { TokenSet } from "./types.js";

export type { FreshJwt, JwtError, JwtErrorCode } from "./next-auth-jwt.js";

/** What a call of the callback needs of its argument, in both versions. */
export interface JwtParams {
  /** What the cookie holds; at sign-in the user's name, email and picture. */
  token: object;
  /** At sign-in only: the provider's token response, and which provider it was. */
  account?: object | null | undefined;
  /** `update`: the page called `update(data)`, and `session` is that data. */
  trigger?: string | undefined;
  session?: unknown;
}

/**
 * How new the tokens must be after `update(data)`:
 *
 * - `valid`: those in the cookie will do.
 * - `newer`: another access token than the one in the cookie, whoever obtained it; say because that one was refused.
 * - `minted-after-now`: obtained by a request that is sent after the call, because the user's claims have changed.
 */
export type Freshness = "valid" | "newer" | "minted-after-now";

/** What the callback is to know of the app. */
export interface FreshJwtOptions {
  /**
   * False where no cookie can be set, as while a Server Component renders: the browser will come back with the old cookie, so
   * the tokens that replaced it are kept for a day. Default: true.
   */
  canPersist?: boolean;
  /**
   * What `update(data)` asks for; a function gets the data, which the page may have made up: what it throws costs the session.
   * Default: the data's member `refresh` if it is one of the words, else `newer`.
   */
  update?: Freshness | ((data: unknown) => Freshness);
  /** Hears why a refresh failed, also while the access token is still valid: the token's `error` has a code only. What it throws is ignored. */
  onError?: (error: unknown) => void;
  /** The id of the provider that `auth` is for, where there are several: the sessions of others are left alone. */
  provider?: string;
}

/** The second half of a callback: what it returns becomes the cookie. */
export type NextJwt<Params extends JwtParams, Result> = (
  params: Omit<Params, "token"> & {
    token: Params["token"] & FreshJwt;
    /** The tokens that replace those of the cookie, with id token and all that came with them; absent while those stand. */
    refreshed?: TokenSet;
  },
) => Result;

/** What is asked of a coordinator. */
type Renewing = Pick<RefreshCoordinator, "renew">;

const WORDS: readonly unknown[] = ["valid", "newer", "minted-after-now"] satisfies Freshness[];
const OPTIONS = ["canPersist", "update", "onError", "provider"];

/**
 * Makes the `jwt` callback.
 *
 * @example
 * ```ts
 * const config = (canPersist: boolean): NextAuthConfig => ({
 *   providers,
 *   callbacks: {
 *     jwt: jwtCallback(coordinator, { canPersist }),
 *     session: ({ session, token }) => ({ ...session, accessToken: token.accessToken, error: token.error }),
 *   },
 * });
 * export const { auth, handlers } = NextAuth(config(true));
 * export const { auth: authInComponent } = NextAuth(config(false));
 * ```
 *
 * @param next runs after it, with the fresh token; throws and returns at its own risk
 * @throws ConfigurationError `wrong-argument` naming what is wrong
 */
export function jwtCallback(
  auth: Renewing,
  options?: FreshJwtOptions,
): <Params extends JwtParams>(params: Params) => Promise<Params["token"] & FreshJwt>;
export function jwtCallback<Params extends JwtParams, Result>(
  auth: Renewing,
  next: NextJwt<Params, Result>,
  options?: FreshJwtOptions,
): (params: Params) => Promise<Awaited<Result>>;
export function jwtCallback<Params extends JwtParams, Result>(
  auth: Renewing,
  nextOrOptions?: NextJwt<Params, Result> | FreshJwtOptions,
  last?: FreshJwtOptions,
): (params: Params) => Promise<unknown> {
  const next = typeof nextOrOptions === "function" ? nextOrOptions : undefined;
  const options = typeof nextOrOptions === "function" ? last : nextOrOptions;
  check(auth, options);
  return async (params) => {
    const { token, tokens } = await fresh(auth, params, options ?? {});
    if (next === undefined) return token;
    return next({ ...params, token, ...(tokens === undefined ? {} : { refreshed: tokens }) });
  };
}

/**
 * The token that the `jwt` callback is to return: with the tokens of the sign-in, later with those that are current. Every other
 * member is kept.
 *
 * - At sign-in (`account` is there) it takes the provider's tokens over.
 * - Where they cannot be replaced it has an `error`, but not while its access token is valid; the next success removes it.
 *
 * Rejects with a `ConfigurationError` (`wrong-argument`) for wrong arguments, and with what the option `update` throws; for nothing
 * else.
 *
 * @example
 * ```ts
 * callbacks: { jwt: (params) => freshJwt(auth, params) }
 * ```
 */
export async function freshJwt<Token extends object>(
  auth: Renewing,
  params: JwtParams & { token: Token },
  options: FreshJwtOptions = {},
): Promise<Token & FreshJwt> {
  check(auth, options);
  return (await fresh(auth, params, options)).token;
}

interface Fresh<Token> {
  token: Token & FreshJwt;
  tokens?: TokenSet;
}

async function fresh<Token extends object>(
  auth: Renewing,
  params: JwtParams & { token: Token },
  options: FreshJwtOptions,
): Promise<Fresh<Token>> {
  const { token, account, trigger, session } = checked(params);
  if (account) return { token: signedIn(token, account, options.provider, Date.now()) };
  const carried = carriedBy(token, options.provider);
  // A session without tokens, say of a credentials provider; or one that ends with its only access token.
  if (carried === undefined || (carried.refreshToken === undefined && !isOver(carried))) return { token };

  const demanded = trigger === "update" ? demand(options, session) : "valid";
  const { rest, ...tokens } = carried;
  try {
    const current = await auth.renew(given(tokens), {
      newer: demanded === "newer",
      mintedAfterNow: demanded === "minted-after-now",
      canPersist: options.canPersist !== false,
    });
    const replaced = current.accessToken !== tokens.accessToken || current.refreshToken !== tokens.refreshToken;
    return { token: refreshed(carried, current), ...(replaced ? { tokens: current } : {}) };
  } catch (error) {
    tell(options.onError, error);
    const now = Date.now();
    return { token: withError(carried, error, { alive: isAlive(carried, now), forced: demanded !== "valid", now }) };
  }
}

/** A log that fails costs no session. */
function tell(onError: FreshJwtOptions["onError"], error: unknown): void {
  void (async () => onError?.(error))().catch(() => {});
}

/** Has the access token ended, as far as it says? */
function isOver(carried: Carried<object>): boolean {
  return carried.expiresAt !== undefined && !isAlive(carried, Date.now());
}

/** The members that are there. */
function given<T extends object>(tokens: T): { [Name in keyof T]?: NonNullable<T[Name]> } {
  return Object.fromEntries(Object.entries(tokens).filter(([, value]) => value !== undefined)) as never;
}

/** What an update asks for. */
function demand({ update }: FreshJwtOptions, data: unknown): Freshness {
  if (update === undefined) {
    const asked = typeof data === "object" && data !== null ? (data as { refresh?: unknown }).refresh : undefined;
    return isFreshness(asked) ? asked : "newer";
  }
  const asked = typeof update === "function" ? update(data) : update;
  if (!isFreshness(asked)) throw wrong(`\`update\` must return one of ${WORDS.join(", ")}`);
  return asked;
}

function isFreshness(value: unknown): value is Freshness {
  return WORDS.includes(value);
}

function checked<Params extends JwtParams>(params: Params): Params {
  const isObject = (value: unknown) => typeof value === "object" && value !== null;
  if (!isObject(params) || !isObject(params.token)) {
    throw wrong("the callback needs the argument that next-auth gives it: { token, account, trigger, session }");
  }
  return params;
}

function check(auth: unknown, options: unknown): void {
  if (typeof (auth as Renewing | undefined)?.renew !== "function") throw wrong("the first argument must be a RefreshCoordinator");
  if (options === undefined) return;
  if (typeof options !== "object" || options === null) throw wrong("the options must be an object: { canPersist, update, onError, provider }");
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) throw wrong(`there is no option \`${unknown}\`: the options are { canPersist, update, onError, provider }`);
  const { canPersist, update, onError, provider } = options as Record<string, unknown>;
  if (canPersist !== undefined && typeof canPersist !== "boolean") throw wrong("`canPersist` must be true or false");
  if (update !== undefined && typeof update !== "function" && !isFreshness(update)) {
    throw wrong(`\`update\` must be a function or one of ${WORDS.join(", ")}`);
  }
  if (onError !== undefined && typeof onError !== "function") throw wrong("`onError` must be a function");
  if (provider !== undefined && (typeof provider !== "string" || provider === "")) throw wrong("`provider` must be the id of a provider");
}

function wrong(message: string): Error {
  return wrongArgument("wrong-argument", message);
}
