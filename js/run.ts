/** `run(operation)`: with a token that is fresh, and once more with another one after a token error. */

import { asksForAnotherToken } from "./challenge.js";
import { readError } from "./errors.js";

/** What is needed of a coordinator. */
export interface RunSource {
  getAccessToken(): Promise<string>;
  /** Another token than this one, which was refused. */
  replace(rejected: string): Promise<string | undefined>;
}

/** Does what the operation threw or returned say that the access token was refused? */
function saysTokenError(outcome: unknown): boolean {
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
  const token = await source.getAccessToken();
  let outcome: { value: Awaited<T> } | { thrown: unknown };
  try {
    outcome = { value: await operation(token) };
  } catch (thrown) {
    outcome = { thrown };
  }
  if (saysTokenError("value" in outcome ? outcome.value : outcome.thrown)) {
    const another = await source.replace(token);
    if (another !== undefined && another !== token) return await operation(another);
  }
  if ("thrown" in outcome) throw outcome.thrown;
  return outcome.value;
}
