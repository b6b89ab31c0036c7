/** `run(operation)`: with a token that is fresh, and once more with another one after a token error. */

import { asksForAnotherToken } from "./challenge.js";
import { readError } from "./errors.js";
import { noAccessToken } from "./mirror.js";
import type { TokenSet } from "./types.js";

/** What is needed of a coordinator. */
export interface RunSource {
  getTokens(): Promise<TokenSet>;
  /** Another access token of the same session than this one, which was refused; `undefined` if there is none to be had. */
  replace(refused: TokenSet): Promise<string | undefined>;
  /** The token that replaced another one was refused as well. */
  refusedAnew(accessToken: string): void;
}

/** Does what the operation threw or returned say that the access token was refused? */
function saysTokenError(ended: Outcome<unknown>): boolean {
  const outcome = "value" in ended ? ended.value : ended.thrown;
  if (typeof outcome !== "object" || outcome === null) return false;
  // Our own errors speak of the token endpoint, not of a resource server.
  if (readError(outcome) !== undefined) return false;
  const { status, statusCode, response, headers, error, code } = outcome as Record<string, any>;
  const said = status ?? statusCode ?? response?.status;
  const challenge: unknown = (headers ?? response?.headers)?.get?.("www-authenticate") ?? null;
  if (typeof said === "number") return asksForAnotherToken(said, typeof challenge === "string" ? challenge : null);
  return error === "invalid_token" || code === "invalid_token";
}

/**
 * Runs the operation with an access token. If it throws, or resolves with, something that says "401" (`status`,
 * `statusCode` or `response.status`) or `invalid_token`, it runs once more with another token; whatever comes of that is
 * the result.
 */
export async function runWithToken<T>(source: RunSource, operation: (accessToken: string) => T): Promise<Awaited<T>> {
  const tokens = await source.getTokens();
  const token = tokens.accessToken;
  if (token === undefined) throw noAccessToken();
  const first = await outcomeOf(operation, token);
  if (!saysTokenError(first)) return told(first);
  const another = await source.replace(tokens);
  if (another === undefined || another === token) return told(first);
  const second = await outcomeOf(operation, another);
  if (saysTokenError(second)) source.refusedAnew(another);
  return told(second);
}

/** How the operation ended. */
type Outcome<T> = { readonly value: T } | { readonly thrown: unknown };

async function outcomeOf<T>(operation: (accessToken: string) => T, token: string): Promise<Outcome<Awaited<T>>> {
  try {
    return { value: await operation(token) };
  } catch (thrown) {
    return { thrown };
  }
}

function told<T>(outcome: Outcome<T>): T {
  if ("thrown" in outcome) throw outcome.thrown;
  return outcome.value;
}
