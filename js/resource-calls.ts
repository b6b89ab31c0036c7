/** The members `fetch` and `run`: the same for a coordinator that is here, and for one in a worker. */

import { bearerFetch } from "./bearer-fetch.js";
import { detachable, isSignal, refused } from "./calls.js";
import { pageLocation } from "./page-location.js";
import type { Replacement } from "./replacement.js";
import { runWithToken } from "./run.js";
import type { CallOptions, TokenSet } from "./types.js";

/** Where the tokens come from. */
export interface Tokens {
  getTokens(options?: CallOptions): Promise<TokenSet>;
  readonly replacement: Replacement;
}

export function fetchWith(
  { getTokens, replacement }: Tokens,
  { fetch, origins }: { fetch(input: string, init: RequestInit): unknown; origins: ReadonlySet<string> },
  input: string | URL | Request,
  init?: RequestInit,
): Promise<Response> {
  const source = {
    getTokens: (signal: AbortSignal | undefined) => getTokens(signal && { signal }),
    replace: (refused: TokenSet, signal: AbortSignal | undefined) => replacement.of(refused, signal && { signal }),
    refusedAnew: (accessToken: string) => replacement.refused(accessToken),
    fetch,
    origins,
    location: pageLocation(),
  };
  return bearerFetch(source, input, init);
}

export function runWith<T>(
  { getTokens, replacement }: Tokens,
  operation: (accessToken: string) => T,
  options?: CallOptions,
): Promise<Awaited<T>> {
  if (typeof operation !== "function") return refused("wrong-argument", "`run` needs a function");
  const source = {
    getTokens: () => getTokens(options),
    replace: (refused: TokenSet) => replacement.of(refused, options),
    refusedAnew: (accessToken: string) => replacement.refused(accessToken),
  };
  const running = runWithToken(source, operation);
  const signal = options?.signal;
  return isSignal(signal) ? detachable(running, signal) : running;
}
