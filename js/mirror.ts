/**
 * The memory mirror: the token sets this context holds, so that the common call touches neither store nor lock.
 *
 * The one decision taken outside the core: is what I hold fresh? Everything else about it is the core's.
 */

import type { Held } from "./core.js";
import { wrongArgument } from "./errors.js";
import type { AdvisoryWindow } from "./keep-fresh.js";
import type { Clock, TokenSet } from "./types.js";

/** Is a change by somebody else heard of? "mostly": it is announced, and what another process says may be lost. */
export type Hearing = "always" | "mostly" | "never";

/** Where not every change is heard of, the record is looked at when what is held is this old, in milliseconds. */
const UNHEARD = 60_000;

/** A held token set, with the promises that are handed out for it: the same ones while it is held. */
export class Entry implements AdvisoryWindow {
  readonly tokens: Promise<TokenSet>;
  readonly accessToken: Promise<string>;
  readonly held: Held;
  /** Until when it is fresh, and until when it may be handed out while a refresh runs; both on both clocks. */
  readonly advisoryWall: number;
  readonly advisoryMonotonic: number;
  readonly mandatoryWall: number;
  readonly mandatoryMonotonic: number;
  /** Until when it may be believed that nobody has changed the record unheard: monotonic clock. */
  readonly unheard: number;
  /** Has it been handed out? */
  served = false;

  constructor(held: Held, lookedAt: number) {
    this.held = held;
    this.unheard = lookedAt + UNHEARD;
    const window = windowOf(held);
    this.advisoryWall = window.advisoryWall;
    this.advisoryMonotonic = window.advisoryMonotonic;
    this.mandatoryWall = window.mandatoryWall;
    this.mandatoryMonotonic = window.mandatoryMonotonic;
    this.tokens = Promise.resolve(held.tokens);
    this.accessToken = accessTokenOf(this.tokens, held.tokens);
  }
}

/** The window in which a token set is refreshed ahead of need. */
export function windowOf({ expiresAt, expiresMonotonic, advisory, mandatory }: Held): AdvisoryWindow {
  return {
    advisoryWall: expiresAt - advisory,
    advisoryMonotonic: expiresMonotonic - advisory,
    mandatoryWall: expiresAt - mandatory,
    mandatoryMonotonic: expiresMonotonic - mandatory,
  };
}

/** How fresh a held token set is. */
export const Freshness = { Fresh: 0, Advisory: 1, Stale: 2 } as const;

/** For how many sets of request parameters tokens are held. */
const OTHERS = 256;

export class Mirror {
  readonly #clock: Clock;
  readonly #hearing: Hearing;
  /** Those without parameters of their own: nearly all calls. */
  #plain: Entry | undefined;
  readonly #others = new Map<number, Entry>();
  /** The access tokens that were handed out last from here, where the core does not see it; kept when a hint empties the mirror. */
  readonly #served = new Map<number, string | undefined>();
  #sid: string | undefined;
  #generation = 0;
  /** When the record was last seen: monotonic clock. */
  #lookedAt = -Infinity;

  constructor(clock: Clock, hearing: Hearing) {
    this.#clock = clock;
    this.#hearing = hearing;
  }

  /** False if a later generation is known already: a slow read that was overtaken. */
  hold(held: Held): boolean {
    if (this.#sid !== held.sid) {
      this.clear();
      this.#generation = held.generation;
    } else if (held.generation < this.#generation) {
      return false;
    }
    this.#sid = held.sid;
    this.#generation = held.generation;
    // A hint came since it was read: it is told, but not kept.
    if (held.overtaken) return true;
    this.#lookedAt = this.#monotonic();
    const entry = new Entry(held, this.#lookedAt);
    this.#rotate(held);
    this.#put(entry);
    return true;
  }

  /** The refresh token is the session's, not the parameters': what is held for others gets the live one too. */
  #rotate({ tokens: { refreshToken } }: Held): void {
    for (const entry of [this.#plain, ...this.#others.values()]) {
      if (entry === undefined || entry.held.tokens.refreshToken === refreshToken) continue;
      const tokens = Object.freeze({ ...entry.held.tokens, ...(refreshToken === undefined ? {} : { refreshToken }) });
      this.#put(new Entry({ ...entry.held, tokens }, this.#lookedAt));
    }
  }

  #put(entry: Entry): void {
    if (entry.held.params === 0) this.#plain = entry;
    else this.#others.set(entry.held.params, entry);
    const [oldest] = this.#others.keys();
    if (oldest !== undefined && this.#others.size > OTHERS) this.#others.delete(oldest);
  }

  clear(): void {
    this.#plain = undefined;
    this.#others.clear();
  }

  /** A resource server refused this access token: it is not handed out again. */
  refuse(params: number, accessToken: string): void {
    if (this.entry(params)?.held.tokens.accessToken !== accessToken) return;
    if (params === 0) this.#plain = undefined;
    else this.#others.delete(params);
  }

  /** It is handed out. */
  serve(entry: Entry): void {
    if (entry.served) return;
    entry.served = true;
    this.#served.delete(entry.held.params);
    this.#served.set(entry.held.params, entry.held.tokens.accessToken);
    const [oldest] = this.#served.keys();
    if (oldest !== undefined && this.#served.size > OTHERS) this.#served.delete(oldest);
  }

  /** The access token that was handed out last for these parameters from here. */
  lastServed(params: number): string | undefined {
    return this.#served.get(params);
  }

  /** What is held for these parameters, fresh or not. */
  entry(params: number): Entry | undefined {
    return params === 0 ? this.#plain : this.#others.get(params);
  }

  /** Is it fresh? By both clocks: the wall clock may have been set, the other may have slept. */
  freshness(entry: Entry): 0 | 1 | 2 {
    try {
      const wall = this.#clock.now();
      const monotonic = this.#clock.monotonic();
      if (typeof wall !== "number" || typeof monotonic !== "number") return stale(wall, monotonic);
      if (this.#hearing === "never" && monotonic >= entry.unheard) return Freshness.Stale;
      if (wall < entry.advisoryWall && monotonic < entry.advisoryMonotonic) return Freshness.Fresh;
      if (wall < entry.mandatoryWall && monotonic < entry.mandatoryMonotonic) return Freshness.Advisory;
    } catch {
      // A user's clock that throws tells nothing: the core, which has the host's, decides.
    }
    return Freshness.Stale;
  }

  /** Is the record to be looked at again, behind whoever is served? */
  get isOverdue(): boolean {
    return this.#hearing === "mostly" && this.#monotonic() >= this.#lookedAt + UNHEARD;
  }

  #monotonic(): number {
    try {
      return this.#clock.monotonic();
    } catch {
      return -Infinity;
    }
  }
}

/** A clock that answers with something else than numbers, perhaps with a promise that rejects. */
function stale(...answers: unknown[]): 2 {
  for (const answer of answers) Promise.resolve(answer).catch(() => {});
  return Freshness.Stale;
}

/** The access token of a set, as a promise of its own. */
export function accessTokenOf(shared: Promise<TokenSet>, known?: TokenSet): Promise<string> {
  const promise = known?.accessToken === undefined ? shared.then(accessToken) : Promise.resolve(known.accessToken);
  promise.catch(() => {});
  return promise;
}

function accessToken(tokens: TokenSet): string {
  if (tokens.accessToken !== undefined) return tokens.accessToken;
  throw noAccessToken();
}

/** What a cookie-only session answers whoever wants its access token. */
export function noAccessToken(): Error {
  return wrongArgument("no-access-token", "this session has no access token to hand out: it lives in a cookie; use getTokens()");
}
