/** Another access token in the place of one that a resource server refused, if another one can help. */

import { NoSessionError } from "./errors.js";
import type { CallOptions, RefreshOptions, TokenSet } from "./types.js";

/** A resource server that refuses what was minted for it causes a rotation at most this often, in milliseconds. */
const REFUSED_ANEW = 30_000;

/** What is needed of a coordinator. */
interface Source {
  refresh(options: RefreshOptions): Promise<TokenSet>;
  /** The session that a token set is of. */
  sessionOf(tokens: TokenSet): string | undefined;
}

export class Replacement {
  readonly #source: Source;
  /** An access token that was refused although it had just replaced another one, and until when that is remembered. */
  #refusedAnew: { accessToken: string; until: number } | undefined;

  constructor(source: Source) {
    this.#source = source;
  }

  /**
   * Another access token than one that a resource server refused: of the same session, or what one user asked for would be
   * done as another. `undefined` if there is none, or if the last one fared no better.
   */
  async of(tokens: TokenSet, options: CallOptions | undefined): Promise<string | undefined> {
    const rejected = tokens.accessToken as string;
    const known = this.#refusedAnew;
    if (known?.accessToken === rejected && performance.now() < known.until) return undefined;
    try {
      const others = await this.#source.refresh({ ...options, rejected });
      return this.#source.sessionOf(others) === this.#source.sessionOf(tokens) ? others.accessToken : undefined;
    } catch (error) {
      if (error instanceof NoSessionError && error.code === "no-refresh-token") return undefined;
      throw error;
    }
  }

  /** The token that replaced another one was refused as well. */
  refused(accessToken: string): void {
    this.#refusedAnew = { accessToken, until: performance.now() + REFUSED_ANEW };
  }
}
