/** The types users meet: options, token sets, ports, events. No code. */

import type { RefreshError } from "./errors.js";

/** One set of tokens. Frozen. */
export interface TokenSet {
  /** The access token; absent only in a cookie-only session. */
  readonly accessToken?: string;
  /** The live refresh token of the session. */
  readonly refreshToken?: string;
  /** When the access token ends: wall clock, milliseconds since the epoch. */
  readonly expiresAt: number;
  /** `token_type` of the response (RFC 6749 section 5.1). */
  readonly tokenType?: string;
  /** `scope` of the response, space-separated. */
  readonly scope?: string;
  /** `id_token` of the response (OpenID Connect Core 12.2). */
  readonly idToken?: string;
  /** Every other member of the response. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** Tokens as a user has them: the token endpoint's reply as it is, or the members of {@link TokenSet}. */
export interface TokenInput {
  /** The access token (RFC 6749 section 1.4). */
  accessToken?: string;
  /** The refresh token (RFC 6749 section 1.5). */
  refreshToken?: string;
  /** Milliseconds since the epoch. A value that looks like seconds is refused. */
  expiresAt?: number;
  /** Seconds from the call: not for tokens that were kept for a while. */
  expiresIn?: number;
  tokenType?: string;
  scope?: string;
  idToken?: string;
  extra?: Record<string, unknown>;
  access_token?: string;
  refresh_token?: string;
  /** Seconds from the call (RFC 6749 section 5.1): not for tokens that were kept for a while. */
  expires_in?: number | string;
  /** Seconds or milliseconds since the epoch, as some servers and Auth.js write it. */
  expires_at?: number | string;
  token_type?: string;
  id_token?: string;
  [member: string]: unknown;
}

/** Extra form parameters: `scope`, `resource` (may repeat: an array), `audience`, … */
export type RequestParameters = Record<string, string | readonly string[]>;

/** Who is to blame for a failure. */
export type Fault = "server" | "network" | "store" | "host" | "caller";

/** Has the server consumed the refresh token? */
export type Spent = "no" | "maybe" | "yes";

/**
 * Why a session is over.
 *
 * A browser may send a request twice of its own accord, which no page can notice. If the server has rotated for the first of the two
 * and ends the session at the second, the reason is what the server says of the second: `reuse` or `unknown`.
 */
export type RevokedReason =
  /** The refresh token has reached the end of its life. */
  | "expired"
  /** The server says that it was used twice. */
  | "reuse"
  /** The user or an administrator has ended it. */
  | "user-action"
  /** It was not used for too long. */
  | "idle"
  /** A newer token set has replaced this one, and is no longer remembered. */
  | "superseded"
  /** A reply was lost, and the server may have rotated before: nobody has the new token. */
  | "response-lost"
  /** The server does not say. */
  | "unknown";

/**
 * A versioned register, like HTTP's ETag and If-Match. All members may be synchronous or not.
 *
 * A version is never used twice for a key, also after a delete or an expiry.
 */
export interface Store {
  /** The value and its version, or `undefined`. */
  read(key: string): MaybePromise<StoredValue | undefined>;
  /**
   * Writes if the version still is `ifVersion` (`null`: if there is nothing); `undefined` as value deletes.
   * Resolves with the new version, or with `undefined` on a conflict, when nothing was written. A throw means that the
   * outcome is unknown; there must be one if `ifVersion` is `undefined`.
   *
   * `ttl`: milliseconds from now, after which value and version are absent. Without one the value stays until it is deleted, also if
   * the write before had one.
   */
  write(
    key: string,
    value: string | undefined,
    conditions: { ifVersion: string | null; ttl?: number },
  ): MaybePromise<string | undefined>;
  /** Calls the listener when the key may have changed: a hint, never evidence. Returns a function that ends it. */
  watch?(key: string, listener: () => void): MaybePromise<() => void>;
  /** Who shares it. Default: `context`. */
  readonly scope?: Scope;
  /** For how long a read may return the previous value, in milliseconds. Default: 0. */
  readonly lag?: number;
  /** Locks that come with the store. */
  readonly locks?: Locks;
}

/** A value of a store. */
export interface StoredValue {
  value: string;
  version: string;
}

/** How far something reaches: one coordinator or process, an origin, a machine, several machines. */
export type Scope = "context" | "origin" | "host" | "cluster";

/** The shape of `navigator.locks`. */
export interface Locks {
  request(
    name: string,
    options: { signal?: AbortSignal; ifAvailable?: boolean },
    callback: (lock: unknown) => unknown,
  ): unknown;
  /** Default: `origin`. */
  readonly scope?: Scope;
}

/** The shape of `BroadcastChannel`. */
export interface Channel {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  removeEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  close?(): void;
  unref?(): void;
}

/** Time, in milliseconds. */
export interface Clock {
  /** Wall clock, since the epoch. */
  now(): number;
  /** Since an arbitrary start; never goes back. */
  monotonic(): number;
  /** Resolves after so many milliseconds, or rejects when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): unknown;
}

/** What a custom `refresh` gets, from the record just read. */
export interface RefreshRequest {
  /** The token to present; absent in a cookie-only session. */
  readonly refreshToken?: string;
  readonly params: RequestParameters;
  /** Aborts at the deadline. */
  readonly signal: AbortSignal;
  /** Counts the attempts of this refresh, from 1. */
  readonly attempt: number;
  /** Wall clock, milliseconds since the epoch. */
  readonly deadline: number;
}

/** How a reply that brought no tokens is classed. */
export type RefusalClass = "revoked" | "interaction" | "transient" | "configuration";

/** A refusal, as `classify` sees it. */
export interface Refusal {
  readonly class: RefusalClass;
  readonly reason?: RevokedReason;
  readonly spent: Spent;
  readonly code: string;
  readonly message: string;
  /** HTTP status of the reply, if there was one. */
  readonly status?: number;
  /** `error` of the reply (RFC 6749 section 5.2). */
  readonly error?: string;
  /** Milliseconds from now. */
  readonly retryAfter?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What `classify` makes of a refusal: the members it changes, or the class alone. */
export type Ruling =
  | RefusalClass
  | { class?: RefusalClass; reason?: RevokedReason; spent?: Spent; retryAfter?: number }
  | undefined
  | void;

/** The attempt that a client authentication function adds to. */
export interface AuthenticationRequest {
  readonly url: string;
  readonly method: "POST";
  /** Counts the presentations of one refresh, from 1. */
  readonly attempt: number;
  /** The `nonce` that this server last wanted to see in a DPoP proof (RFC 9449 section 8), if it named one. */
  readonly dpopNonce: string | undefined;
}

/** What a client authentication function adds to one attempt. */
export interface AuthenticationAddition {
  params?: Record<string, string>;
  headers?: Record<string, string>;
}

/** The options of a coordinator. Durations are milliseconds unless it says otherwise. */
export interface RefreshCoordinatorOptions {
  /** Required with `tokenEndpoint`. */
  clientId?: string;
  /** https, or loopback, or with `allowInsecure`; may be relative in a page. One of it and `refresh` is required. */
  tokenEndpoint?: string | URL;
  /** The exchange, for servers that do not speak RFC 6749 section 6. May return a `Response`, a token set, or a wire reply. */
  refresh?: (request: RefreshRequest) => unknown;
  /** The client's secret (RFC 6749 section 2.3.1). Default: a public client. */
  clientSecret?: string;
  /** How the client authenticates; a function adds to each attempt (assertions, DPoP). Default with a secret: `basic`. */
  clientAuthentication?:
    | "basic"
    | "post"
    | ((request: AuthenticationRequest) => MaybePromise<AuthenticationAddition | undefined | void>);
  /** Extra form parameters of every request. */
  params?: RequestParameters;
  /** The session's name: on a server one for each user. Default: `default`, one session for everybody. */
  session?: string;
  /** Tells coordinators with a custom `refresh` apart. */
  name?: string;
  /**
   * Where sessions live, and the successors of spent tokens. Default: in a page or worker `indexedDbStore()`; elsewhere
   * memory, of which this coordinator has its own for its session and the process one for successors; each worker thread of Node
   * counts as a process here, and shares a session with others by a store in a file.
   */
  store?: Store;
  /**
   * Default: those of the store; in a page or worker `navigator.locks`; else none, and intents alone decide. The `navigator.locks` of
   * Node exclude the threads of one process only, and count as no more than that.
   */
  locks?: Locks;
  /** Where changes are announced. Default: in a page or worker a `BroadcastChannel`; else none. */
  channel?: Channel;
  /** Sends the requests to the token endpoint, and those of {@link RefreshCoordinator.fetch}. Default: the global one. */
  fetch?: (input: string, init: RequestInit) => unknown;
  /** Where {@link RefreshCoordinator.fetch} may send the token. Default: in a page its own origin; elsewhere none. */
  origins?: readonly string[];
  /** With less life left than this, callers wait. Default: min(10 s, 10 % of the lifetime). */
  mandatoryWindow?: number;
  /** With less life left than this, one context refreshes in the background. Default: min(120 s, 25 % of the lifetime). */
  advisoryWindow?: number;
  /** One attempt. Default: min(10 s, 0.3 × `grace` if that is set). */
  timeout?: number;
  /**
   * How long a caller waits for others. Default: 16 s, which is 1 s more than one that died is waited for where no lock tells. With
   * another `timeout` 1 s more than 1.5 × that, or than that + 5 s, and at least 12 s; 12 s if that is longer than `callTimeout`.
   */
  lockWait?: number;
  /** How long one call into the store may take. Default: 5 s. */
  storeTimeout?: number;
  /** How long a caller waits in all. Default: 30 s. */
  callTimeout?: number;
  /** How often one refresh may try again after a transient refusal. Default: 2. */
  retries?: number;
  /** Seconds in which the server accepts the previous token again. Default: 0. */
  grace?: number;
  /** Life of an access token when neither `expires_in` nor a JWT `exp` tells. Default: 5 min. */
  unknownLifetime?: number;
  /** Revoke the replaced token after the commit: only for servers whose refresh does not consume it. Default: false. */
  revokeReplaced?: boolean;
  /** For `signOut`, and for tokens that must not live on (RFC 7009). Default: none. */
  revocationEndpoint?: string | URL;
  /** Sees refusals only, and has the last word: returns what to change about one. */
  classify?: (refusal: Refusal) => MaybePromise<Ruling>;
  /**
   * `open`: present without a claim when the store is away and nothing else is left: a session can be lost to two servers that do. In
   * session mode only; `renew` rejects with a `StoreError`. Default: `closed`.
   */
  onStoreFailure?: "closed" | "open";
  /** Seals the session's record in the store (AES-GCM). At least 16 random characters. */
  sealKey?: string;
  /** For hosts that end with the response: gets every promise that must be waited for. */
  waitUntil?: (promise: Promise<unknown>) => void;
  /** Default: the host's. */
  clock?: Clock;
  /** Allows an http endpoint beyond loopback. Default: false. */
  allowInsecure?: boolean;
}

/** The last argument of the members that bring tokens. */
export interface CallOptions {
  /** Detaches this caller when it aborts; the refresh goes on. */
  signal?: AbortSignal;
  /** Extra form parameters of this request, beside those of the options. */
  params?: RequestParameters;
}

/** The argument of `refresh`: its three forms. */
export interface RefreshOptions extends CallOptions {
  /** This access token was refused: does nothing if it is no longer the current one. */
  rejected?: string;
  /** Only an exchange that starts after the call will do. */
  mintedAfterNow?: boolean;
}

/** The last argument of `renew`. */
export interface RenewOptions extends CallOptions {
  /** Another access token than the one handed in, whoever obtained it. */
  newer?: boolean;
  /** Only an exchange that starts after the call will do. */
  mintedAfterNow?: boolean;
  /**
   * False if the caller cannot put what it gets in the place of what it carries: it will come back with the old tokens, so their
   * successors are kept for a day instead of until the access token ends. Default: true.
   */
  canPersist?: boolean;
}

/** What a UI shows. The same object until it changes; never a token. */
export interface Snapshot {
  readonly status: "unknown" | "active" | "refreshing" | "revoked" | "signed-out";
  /** When the access token ends: wall clock, milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
  /** Why the last refresh failed. */
  readonly error: RefreshError | undefined;
  /** Rotations since sign-in. */
  readonly generation: number | undefined;
}

/**
 * What happened in this context. What another one did shows as `adopted`, and in the snapshot. Carries the hashed key of the
 * session, never its name, never a token.
 */
export interface CoordinatorEvent {
  readonly type:
    | "refreshed"
    | "adopted"
    | "waiting"
    | "taken-over"
    | "transient"
    | "revoked"
    | "signed-in"
    | "signed-out"
    | "store-failed"
    | "degraded"
    | "revocation-failed";
  /** The record's key: a hash. */
  readonly session: string;
  /** Rotations since sign-in, as far as this context knows. */
  readonly generation: number;
  /** Wall clock, milliseconds since the epoch. */
  readonly at: number;
  /** `transient`: nobody tries again before this moment. Wall clock, milliseconds since the epoch. */
  readonly retryAt?: number;
  /** `revoked`: why. */
  readonly reason?: RevokedReason;
  /**
   * `store-failed`: what was tried. `commit`: some minutes after `close` the store still had not taken the tokens obtained last, and they are
   * given up. Those who called have them; the record still holds the one that was presented for them.
   */
  readonly operation?: "read" | "write" | "commit";
  /**
   * `degraded`: what works less well.
   *
   * - `locks`, `channel`: the host has none that work; intents in the store decide alone, and who waits looks for itself
   * - `store`: there is no IndexedDB, and the session lives in the memory of this page, for as long as it is there; or the file of a
   *   `fileStore` cannot be read
   * - `keyring`: that of a `keyringStore` cannot be used; what it cannot seal lies in the file as it is, and what it has sealed
   *   cannot be read
   * - `mirror`: what a `webStorageStore` keeps in localStorage cannot be written
   * - `claim`: tokens were presented without a claim (the option `onStoreFailure`)
   * - `classify`, `waitUntil`: this option failed
   */
  readonly what?: string;
  /** `revocation-failed`: how many tokens still wait. */
  readonly left?: number;
}

/** A request with a refresh token is over. Told once its exchange is. */
export interface PresentationMessage {
  readonly type: "presented";
  /** How the reply was judged: `granted`, or the class of the refusal. */
  readonly verdict: "granted" | RefusalClass;
  /** When it was sent: a moment of `performance.now()`, in milliseconds. */
  readonly startTime: number;
  /** Until the reply was read and judged, or given up. Milliseconds. */
  readonly duration: number;
}

/** A call joined a refresh that was under way, and saved a request. */
export interface JoinMessage {
  readonly type: "joined";
}

/**
 * The channels of `node:diagnostics_channel`, and what is published on each: every event of every coordinator of the process, and two
 * messages that are no events, `presented` and `joined`. Only where the host has that module: Node, Deno, Bun, Workers with
 * `nodejs_compat`.
 *
 * @example
 * import diagnostics from "node:diagnostics_channel";
 * diagnostics.subscribe("refresh-coordinator:revoked", (message) => log((message as CoordinatorEvent).reason));
 */
export type DiagnosticsMessages = {
  readonly [Type in CoordinatorEvent["type"] as `refresh-coordinator:${Type}`]: CoordinatorEvent & { readonly type: Type };
} & {
  readonly "refresh-coordinator:presented": PresentationMessage;
  readonly "refresh-coordinator:joined": JoinMessage;
};

/** Hears every event, and with no argument that the snapshot has changed. */
export type Listener = (event?: CoordinatorEvent) => void;

/** Counts since construction. */
export interface Stats {
  /** Requests with a refresh token. */
  readonly presentations: number;
  /** Calls that joined an open flight. */
  readonly joins: number;
  /** Token sets taken over from another context, in session mode. */
  readonly adoptions: number;
  /** Flights that waited for another context. */
  readonly waits: number;
  /** Intents of owners that were gone. */
  readonly takeOvers: number;
  /** Presentations that brought no tokens. */
  readonly refusals: number;
  /** Joins and adoptions: each would have been a presentation. */
  readonly presentationsSaved: number;
}

/** A value, or a promise of it. */
export type MaybePromise<T> = T | PromiseLike<T>;
