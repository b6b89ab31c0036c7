/**
 * The wasm core as this half of the package sees it, and what the core sees of this half.
 *
 * Hand-written: the generated types of wasm-bindgen say `any` where it matters. The Rust side is `src/bindings.rs` and
 * `src/host/embedder.rs`.
 */

import type { Channel, Clock, Locks, PresentationMessage, Stats, Store, TokenSet } from "./types.js";

/** How new the tokens must be. The numbers are those of `src/host/refreshing.rs`. */
export const Need = {
  /** Still valid. */
  Valid: 0,
  /** Outside the advisory window: a refresh ahead of need. */
  Ahead: 1,
  /** Newer than what was last handed out; in successor mode, another access token than the one that was handed in. */
  Newer: 2,
  /** Minted after the call. */
  MintedAfterNow: 3,
  /** Another access token than the one that was refused. */
  NotThis: 4,
} as const;

/** One of {@link Need}. */
export type Need = (typeof Need)[keyof typeof Need];

/** The exported class of the wasm module. */
export interface Core {
  params(params: unknown): number;
  flight(need: Need, params: number, other?: string): Promise<TokenSet>;
  look(): Promise<TokenSet | undefined>;
  renew(tokens: unknown, need: Need, params: number, fixed: boolean): Promise<TokenSet>;
  setTokens(tokens: unknown): Promise<TokenSet>;
  signOut(tokens?: unknown): Promise<{ revoked: boolean }>;
  drainRevocations(): Promise<{ revoked: number; left: number }>;
  stats(): Stats;
  wake(): void;
  degraded(what: string): void;
  close(): void;
}

/** Its constructor; throws a `ConfigurationError` that names the option. */
export type CoreConstructor = new (options: object, host: Host) => Core;

/** Which class of error. */
export type ErrorKind =
  | "revoked"
  | "interaction"
  | "transient"
  | "configuration"
  | "no-session"
  | "store"
  | "internal";

/** What an error says besides its class. */
export interface ErrorFields {
  message: string;
  code?: string;
  fault: string;
  spent: string;
  status?: number;
  oauthError?: string;
  /** Wall clock, milliseconds since the epoch. */
  retryAt?: number;
  reason?: string;
  cause?: unknown;
}

/** A token set for the mirror, with what is needed to tell how long it is fresh. */
export interface Held {
  /** The number of its request parameters; 0 for none but those of the options. */
  params: number;
  tokens: TokenSet;
  generation: number;
  sid: string;
  /** Wall clock, milliseconds since the epoch. */
  expiresAt: number;
  /** The same moment on the monotonic clock, in milliseconds. */
  expiresMonotonic: number;
  /** With less life left than this, callers wait. Milliseconds. */
  mandatory: number;
  /** With less life left than this, a refresh runs in the background. Milliseconds. */
  advisory: number;
  /** A hint came after they were read: they may be told of, but not kept. */
  overtaken: boolean;
}

/** The host, as the core sees it. */
export interface Host {
  /** `own`: nobody else has this store, so there is nothing to hear of. */
  stores: { session: Store & { own?: boolean }; successor: Store };
  locks: Locks | undefined;
  channel: Channel | undefined;
  clock: Clock;
  /** Where a relative token endpoint leads; only in a page. */
  location: string | undefined;
  fetch(input: unknown, init: unknown): unknown;
  random(bytes: number): Uint8Array;
  seal(secret: string, context: string, text: string): Promise<string>;
  open(secret: string, context: string, sealed: string): Promise<string>;
  error(kind: ErrorKind, fields: ErrorFields): Error;
  brand(value: unknown): (ErrorFields & { kind: ErrorKind }) | undefined;
  emit(event: object): void;
  /** A request with a refresh token has been answered, or will not be: moments of `performance.now()`, the outcome by its code and by its class. */
  presented(start: number, end: number, outcome: string, verdict: PresentationMessage["verdict"]): void;
  hold(held: Held): void;
  /** The record may have changed: nothing is handed out from memory. */
  doubt(): void;
  /** The same, and it is time to look. */
  drop(): void;
  leave(): void;
  belongs(tokens: TokenSet, sid: string): void;
  crashed(message: string): void;
}
