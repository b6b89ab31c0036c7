/**
 * The memory mirror: the token sets this context holds, so that the common call touches neither store nor lock.
 *
 * The one decision taken outside the core: is what I hold fresh? Everything else about it is the core's.
 */

import type { Held } from "./core.js";
import { wrongArgument } from "./errors.js";
import type { Clock, TokenSet } from "./types.js";

/** A held token set, with the promises that are handed out for it: the same ones while it is held. */
export class Entry {
  readonly tokens: Promise<TokenSet>;
  readonly accessToken: Promise<string>;
  readonly held: Held;
  /** Until when it is fresh, and until when it may be handed out while a refresh runs; both on both clocks. */
  readonly advisoryWall: number;
  readonly advisoryMonotonic: number;
  readonly mandatoryWall: number;
  readonly mandatoryMonotonic: number;

  constructor(held: Held) {
    this.held = held;
    this.advisoryWall = held.expiresAt - held.advisory;
    this.advisoryMonotonic = held.expiresMonotonic - held.advisory;
    this.mandatoryWall = held.expiresAt - held.mandatory;
    this.mandatoryMonotonic = held.expiresMonotonic - held.mandatory;
    this.tokens = Promise.resolve(held.tokens);
    this.accessToken = accessTokenOf(this.tokens, held.tokens);
  }
}

/** How fresh a held token set is. */
export const Freshness = { Fresh: 0, Advisory: 1, Stale: 2 } as const;

export class Mirror {
  readonly #clock: Clock;
  /** Those without parameters of their own: nearly all calls. */
  #plain: Entry | undefined;
  readonly #others = new Map<number, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  hold(held: Held): void {
    const entry = new Entry(held);
    if (held.params === 0) this.#plain = entry;
    else this.#others.set(held.params, entry);
  }

  clear(): void {
    this.#plain = undefined;
    this.#others.clear();
  }

  /** What is held for these parameters, fresh or not. */
  entry(params: number): Entry | undefined {
    return params === 0 ? this.#plain : this.#others.get(params);
  }

  /** Is it fresh? By both clocks: the wall clock may have been set, the other may have slept. */
  freshness(entry: Entry): 0 | 1 | 2 {
    const wall = this.#clock.now();
    const monotonic = this.#clock.monotonic();
    if (wall < entry.advisoryWall && monotonic < entry.advisoryMonotonic) return Freshness.Fresh;
    if (wall < entry.mandatoryWall && monotonic < entry.mandatoryMonotonic) return Freshness.Advisory;
    return Freshness.Stale;
  }
}

/** The access token of a set, as a promise of its own. */
export function accessTokenOf(shared: Promise<TokenSet>, known?: TokenSet): Promise<string> {
  const promise = known?.accessToken === undefined ? shared.then(accessToken) : Promise.resolve(known.accessToken);
  promise.catch(() => {});
  return promise;
}

function accessToken(tokens: TokenSet): string {
  if (tokens.accessToken !== undefined) return tokens.accessToken;
  throw wrongArgument("no-access-token", "this session has no access token to hand out: it lives in a cookie; use getTokens()");
}
