/// <reference lib="esnext.disposable" preserve="true" />
/** The public class. Each member reads its arguments, asks the mirror, and hands over to the core. */

import { detachable, handled, isEvent, isSignal, mistakenForTokens, refused, wrongDemand, wrongOptions, wrongRefresh, wrongRenewal } from "./calls.js";
import { type Core, type Held, type Host, Need } from "./core.js";
import { heard, publish } from "./diagnostics.js";
import { type RefreshError, RevokedError, NoSessionError, RefreshError as AnyRefreshError, wrongArgument } from "./errors.js";
import { hostOf, ownMembers } from "./host.js";
import { INSIDE, type Inside } from "./inside.js";
import { type Instance, instance, mayRunInBackground } from "./instance.js";
import { KeepFresh } from "./keep-fresh.js";
import { accessTokenOf, type Entry, Freshness, type Hearing, Mirror, windowOf } from "./mirror.js";
import { onWake } from "./page-life.js";
import { pageLocation } from "./page-location.js";
import { measure } from "./performance-track.js";
import { Replacement } from "./replacement.js";
import { fetchWith, runWith, type Tokens } from "./resource-calls.js";
import { Observable } from "./snapshot.js";
import { missing } from "./standard-ports.js";
import { listenTo } from "./stores/degradation.js";
import { canSeal } from "./web-crypto.js";
import type {
  CallOptions,
  CoordinatorEvent,
  DiagnosticsMessages,
  JoinMessage,
  Listener,
  RefreshCoordinatorOptions,
  RefreshOptions,
  RenewOptions,
  Snapshot,
  Stats,
  TokenInput,
  TokenSet,
} from "./types.js";

/** A background refresh that failed is not begun again before this, in milliseconds. */
const BACKGROUND_PAUSE = 1_000;

const JOINED: JoinMessage = Object.freeze({ type: "joined" });

const NO_WEBCRYPTO =
  "this host has no WebCrypto to seal tokens with before they are stored: pages have it only over https and on localhost";

/**
 * Presents a single-use refresh token once, however many callers notice that the access token has expired.
 *
 * All members are bound, none is an `async` function: calls with the same demand and no signal get the same promise.
 *
 * @example
 * const auth = new RefreshCoordinator({ clientId: "web", tokenEndpoint: "https://issuer.example/token" });
 * await auth.setTokens(tokenResponse);
 * const token = await auth.getAccessToken();
 */
export class RefreshCoordinator {
  readonly #instance: Instance;
  readonly #core: Core;
  readonly #mirror: Mirror;
  readonly #observable = new Observable();
  readonly #accessTokens = new WeakMap<Promise<TokenSet>, Promise<string>>();
  readonly #observed = new WeakSet<Promise<TokenSet>>();
  /** The session of each token set that was handed out. */
  readonly #sessions = new WeakMap<TokenSet, string>();
  readonly #tokens: Tokens = {
    getTokens: (options) => this.getTokens(options),
    replacement: new Replacement({
      refresh: (options) => this.refresh(options),
      sessionOf: (tokens) => this.#sessions.get(tokens),
    }),
  };
  readonly #fetch: (input: string, init: RequestInit) => unknown;
  readonly #origins: ReadonlySet<string>;
  readonly #background: boolean;
  /** No background refresh before this moment of the host's monotonic clock, and no such look; infinite while one runs. */
  #backgroundAfter = -Infinity;
  readonly #keeper: KeepFresh;
  readonly #endWatch: () => void;
  readonly #endListening: () => void;
  #closed = false;
  /** Counts what was learned of the session. */
  #told = 0;
  /** How often there were other tokens, and by what the last time. */
  #happened = 0;
  #lastEvent: CoordinatorEvent["type"] = "refreshed";

  /**
   * Checks the options, and never waits.
   *
   * @throws ConfigurationError naming the option that is wrong.
   * @throws ConfigurationError `no-webassembly` or `no-webcrypto`, with the remedy, if the host lacks what is needed.
   */
  constructor(options: RefreshCoordinatorOptions) {
    this.#instance = instance();
    const host = hostOf(options, this.#instance, {
      emit: (event) => this.#emit(event as CoordinatorEvent),
      presented: (start, end, outcome, verdict) => {
        measure("request", start, [["outcome", outcome]], end);
        const channel = heard("presented");
        if (channel !== undefined) publish(channel, Object.freeze({ type: "presented", verdict, startTime: start, duration: end - start }));
      },
      hold: (held) => this.#hold(held),
      doubt: () => this.#mirror.clear(),
      drop: () => this.#drop(),
      leave: () => this.#leave(),
      belongs: (tokens, sid) => void this.#sessions.set(tokens, sid),
      crashed: (message) => this.#instance.crashed(message),
    });
    const given = ownMembers(options);
    try {
      this.#core = this.#instance.enter(() => new this.#instance.Core(options, host));
    } catch (error) {
      if (given["channel"] === undefined) host.channel?.close?.();
      throw error;
    }
    this.#background = mayRunInBackground() || given["waitUntil"] !== undefined;
    this.#mirror = new Mirror(host.clock, hearing(host, this.#background));
    this.#keeper = new KeepFresh(
      host.clock,
      () => this.#kept(() => this.#core.look()),
      () => this.#flight(this.#isFresh() ? Need.Ahead : Need.Valid, 0),
    );
    this.#endWatch = onWake(() => this.#wake());
    for (const what of missing(host.stores.session, host)) this.#degraded(what);
    this.#endListening = listenTo(host.stores.session, (what) => this.#degraded(what));
    this.#fetch = (input, init) => host.fetch(input, init);
    const page = pageLocation();
    const origins = (given["origins"] as readonly string[] | undefined) ?? (page === undefined ? [] : [page]);
    // A page without an origin of its own, say of a file, shares the name "null" with all others.
    this.#origins = new Set(origins.map((origin) => new URL(origin, page).origin).filter((origin) => origin !== "null"));
    const inside: Inside = {
      sessionOf: (tokens) => this.#sessions.get(tokens),
      look: () => this.#look(),
      waits: given["waitUntil"] !== undefined,
    };
    Object.defineProperty(this, INSIDE, { value: inside });
  }

  /**
   * The current token set. From memory while it is fresh; refreshed when it must be.
   *
   * Once the refresh token was presented, a Node process lives on until what came back is in the store, also if nobody waits for it
   * or the `signal` has aborted. A crash, an exception that nobody catches and `process.exit()` end it at once: then the only copy
   * of the new token may be lost, and with it, on a server without a grace period, the session. Set `process.exitCode` and return.
   *
   * Rejects with every class of {@link RefreshError}; `InternalError` only after a defect of this package.
   */
  readonly getTokens = (options?: CallOptions): Promise<TokenSet> => {
    if (options === undefined) return this.#fresh(0)?.tokens ?? this.#flight(Need.Valid, 0);
    return this.#with(options, (params) => this.#fresh(params)?.tokens ?? this.#flight(Need.Valid, params));
  };

  /** The current access token. Rejects with a `ConfigurationError` (`no-access-token`) in a cookie-only session. */
  readonly getAccessToken = (options?: CallOptions): Promise<string> => {
    if (options === undefined) return this.#fresh(0)?.accessToken ?? this.#accessToken(this.#flight(Need.Valid, 0));
    return this.#with(
      options,
      (params) => this.#fresh(params)?.accessToken ?? this.#accessToken(this.#flight(Need.Valid, params)),
    );
  };

  /**
   * - `refresh({ rejected })`: that access token was refused; does nothing if it is no longer the current one.
   * - `refresh()`: something newer than what this coordinator last handed out.
   * - `refresh({ mintedAfterNow: true })`: minted by an exchange that starts after the call, for changed claims.
   */
  readonly refresh = (options?: RefreshOptions): Promise<TokenSet> => {
    if (options === undefined || isEvent(options)) return this.#newer(0);
    const wrong = wrongRefresh(options);
    if (wrong !== undefined) return refused("wrong-argument", wrong);
    return this.#with(options, (params) => {
      const wrong = wrongDemand(options);
      if (wrong !== undefined) return refused("wrong-argument", wrong);
      const { rejected, mintedAfterNow } = options;
      if (mintedAfterNow === true) return this.#flight(Need.MintedAfterNow, params);
      if (rejected === undefined) return this.#newer(params);
      this.#mirror.refuse(params, rejected);
      const held = this.#fresh(params);
      return held?.tokens ?? this.#flight(Need.NotThis, params, rejected);
    });
  };

  /**
   * Successor mode: the set that is current now for tokens carried elsewhere, say in a cookie.
   *
   * - `renew(tokens, { newer: true })`: with another access token than that of `tokens`, whoever obtained it.
   * - `renew(tokens, { mintedAfterNow: true })`: minted by an exchange that starts after the call, for changed claims.
   */
  readonly renew = (tokens: TokenInput | TokenSet, options?: RenewOptions): Promise<TokenSet> => {
    if (!canSeal()) return refused("no-webcrypto", NO_WEBCRYPTO);
    const renew = (need: Need, params: number, fixed: boolean) => {
      const flight = this.#kept(() => this.#core.renew(tokens, need, params, fixed));
      this.#joins(flight);
      return flight;
    };
    if (options === undefined) return renew(Need.Valid, 0, false);
    return this.#with(options, (params) => {
      const wrong = wrongRenewal(options);
      if (wrong !== undefined) return refused("wrong-argument", wrong);
      const { newer, mintedAfterNow, canPersist } = options;
      const need = mintedAfterNow === true ? Need.MintedAfterNow : newer === true ? Need.Newer : Need.Valid;
      return renew(need, params, canPersist === false);
    });
  };

  /**
   * Sign-in. A refresh token this session has already spent is ignored, and the current set returned; the same one brings
   * a newer access token along; any other begins a new session, which wins over any exchange in flight.
   *
   * Rejects with {@link NoSessionError} for a refresh token that was signed out and waits for its revocation.
   */
  readonly setTokens = (tokens: TokenInput | TokenSet): Promise<TokenSet> => {
    const mistaken = mistakenForTokens(tokens);
    if (mistaken !== undefined) return refused("wrong-argument", `\`setTokens\` needs tokens, not ${mistaken}`);
    return this.#kept(() => this.#core.setTokens(tokens));
  };

  /**
   * Ends the session, then revokes its token. `revoked` is false without a revocation endpoint, and if the revocation
   * failed or is still under way. With tokens: the session these belong to (successor mode).
   */
  readonly signOut = (tokens?: TokenInput | TokenSet): Promise<{ revoked: boolean }> => {
    // As a listener of a button, say, it gets an event.
    const given = isEvent(tokens) ? undefined : tokens;
    return this.#kept(() => this.#core.signOut(given));
  };

  /**
   * `fetch` with the bearer token, to the option's `origins` only. After a 401 to our token, once more with another one.
   *
   * Rejects with a `TypeError` before anything is sent if the token may not go there.
   */
  readonly fetch = (input: string | URL | Request, init?: RequestInit): Promise<Response> =>
    fetchWith(this.#tokens, { fetch: this.#fetch, origins: this.#origins }, input, init);

  /**
   * Runs the operation with a fresh access token; once more with another one if it throws, or resolves with, a token
   * error: a `status` of 401, or `invalid_token`.
   */
  readonly run = <T>(operation: (accessToken: string) => T, options?: CallOptions): Promise<Awaited<T>> =>
    runWith(this.#tokens, operation, options);

  /**
   * Refreshes ahead of need, so that callers need not wait: in the advisory window, a tab that is seen before one that is hidden,
   * each at a moment of its own. Once one has refreshed, all others have its tokens. Where nobody is signed in it waits until
   * somebody is. Returns a function that ends it.
   *
   * Like an interval, it keeps a Node process running.
   *
   * @throws ConfigurationError `closed` after `close()`
   */
  readonly keepFresh = (): (() => void) => {
    if (this.#closed) throw wrongArgument("closed", "this coordinator was closed");
    return this.#keeper.start();
  };

  /** Calls the listener with every event, and without one when the snapshot has changed. Returns a function that ends it. */
  readonly subscribe = (listener: Listener): (() => void) => {
    if (typeof listener !== "function") throw wrongArgument("wrong-argument", "`subscribe` needs a function");
    return this.#observable.subscribe(listener);
  };

  /** What a UI shows: the same object until it changes, and never a token. */
  readonly getSnapshot = (): Snapshot => this.#observable.snapshot;

  /** Counts since construction. */
  readonly stats = (): Stats => Object.freeze(this.#instance.enter(() => this.#core.stats()));

  /** Works off the tokens that are queued for revocation. */
  readonly drainRevocations = (): Promise<{ revoked: number; left: number }> => {
    return this.#kept(() => this.#core.drainRevocations());
  };

  /**
   * New calls reject; an exchange already sent still commits; channel and timers are let go.
   *
   * If the store is in trouble while it commits, it is asked again every few seconds for five minutes after `close`, for nobody else
   * has the new refresh token; so long a Node process is kept alive. Then it is given up: the event `store-failed`, with the
   * operation `commit`. Without `close` nothing is ever given up.
   */
  readonly close = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    this.#endWatch();
    this.#keeper.end();
    this.#endListening();
    this.#mirror.clear();
    if (this.#instance.crash === undefined) this.#instance.enter(() => this.#core.close());
  };

  /** @internal */
  declare readonly [INSIDE]: Inside;

  /** The same at the end of a `using` block, where the host knows them. */
  declare readonly [Symbol.dispose]: () => void;

  /** What the mirror holds, if it may be handed out. In the advisory window a refresh begins behind it. */
  #fresh(params: number): Entry | undefined {
    const entry = this.#mirror.entry(params);
    if (entry === undefined) return undefined;
    const freshness = this.#mirror.freshness(entry);
    if (freshness === Freshness.Stale) return undefined;
    if (this.#background) {
      if (freshness === Freshness.Advisory) this.#refreshBehind(params);
      else if (this.#mirror.isOverdue) this.#lookBehind();
    }
    this.#mirror.serve(entry);
    return entry;
  }

  /** Newer than what was last handed out, be it by the mirror. */
  #newer(params: number): Promise<TokenSet> {
    return this.#flight(Need.Newer, params, this.#mirror.lastServed(params));
  }

  #isFresh(): boolean {
    const entry = this.#mirror.entry(0);
    return entry !== undefined && this.#mirror.freshness(entry) !== Freshness.Stale;
  }

  #refreshBehind(params: number): void {
    this.#behind(() => this.#flight(Need.Ahead, params));
  }

  /** An announcement may have been lost. */
  #lookBehind(): void {
    this.#behind(() => this.#look());
  }

  #behind(work: () => Promise<unknown>): void {
    if (performance.now() < this.#backgroundAfter) return;
    this.#backgroundAfter = Infinity;
    const settled = () => {
      this.#backgroundAfter = performance.now() + BACKGROUND_PAUSE;
    };
    work().then(settled, settled);
  }

  /** `other`: the access token that was refused, or that the mirror has handed out. */
  #flight(need: Need, params: number, other?: string): Promise<TokenSet> {
    const flight = this.#kept(() => this.#core.flight(need, params, other));
    if (!this.#joins(flight)) {
      this.#observe(flight, need);
      // What came from elsewhere may be in its advisory window already.
      if (need === Need.Valid) flight.then(() => void this.#fresh(params), () => {});
    }
    return flight;
  }

  /** Does a call join a flight that is under way? Then that is said on the channel. */
  #joins(flight: Promise<TokenSet>): boolean {
    if (!this.#observed.has(flight)) {
      this.#observed.add(flight);
      return false;
    }
    const channel = heard("joined");
    if (channel !== undefined) publish(channel, JOINED);
    return true;
  }

  /** Lets the snapshot and the panel follow a flight. */
  #observe(flight: Promise<TokenSet>, need: Need): void {
    const shown = need !== Need.Ahead;
    const began = performance.now();
    const before = this.#happened;
    if (shown) this.#observable.refreshing(true);
    const settled = (outcome: string) => {
      if (shown) this.#observable.refreshing(false);
      measure(outcome, began, [["in the background", shown ? "no" : "yes"]]);
    };
    flight.then(
      () => settled(this.#happened === before ? "read" : this.#lastEvent),
      (error: unknown) => {
        this.#failed(error);
        settled(error instanceof AnyRefreshError ? error.code : "failed");
      },
    );
  }

  #failed(error: unknown): void {
    this.#told += 1;
    // What has no refresh token lives as long as its access token.
    if (error instanceof NoSessionError && error.code === "no-refresh-token") this.#observable.failed(error as RefreshError);
    else if (isOver(error)) {
      this.#keeper.over();
      if (error instanceof RevokedError) this.#observable.over("revoked", error as RefreshError);
      else this.#observable.over("signed-out", undefined);
    }
    else if (error instanceof AnyRefreshError) this.#observable.failed(error as RefreshError);
  }

  #accessToken(flight: Promise<TokenSet>): Promise<string> {
    const known = this.#accessTokens.get(flight);
    if (known !== undefined) return known;
    const promise = accessTokenOf(flight);
    this.#accessTokens.set(flight, promise);
    return promise;
  }

  /** A promise of the core that settles even if the core cannot settle it. */
  #kept<T>(call: () => Promise<T>): Promise<T> {
    try {
      return this.#instance.keep(this.#instance.enter(call));
    } catch (error) {
      return handled(Promise.reject(error as Error));
    }
  }

  /** Reads the last argument of a member; a signal detaches this one caller. */
  #with<T>(options: CallOptions, call: (params: number) => Promise<T>): Promise<T> {
    const wrong = wrongOptions(options);
    if (wrong !== undefined) return refused("wrong-argument", wrong);
    let shared: Promise<T>;
    let signal: AbortSignal | undefined;
    try {
      const { signal: given, params } = options;
      if (given !== undefined && !isSignal(given)) return refused("wrong-argument", "`signal` must be an AbortSignal");
      if (given?.aborted === true) return handled(Promise.reject(given.reason as Error));
      signal = given;
      shared = call(params === undefined ? 0 : this.#instance.enter(() => this.#core.params(params)));
    } catch (error) {
      return handled(Promise.reject(error as Error));
    }
    return signal === undefined ? shared : detachable(shared, signal);
  }

  #hold(held: Held): void {
    if (this.#closed) return;
    this.#sessions.set(held.tokens, held.sid);
    if (!this.#mirror.hold(held)) return;
    this.#told += 1;
    this.#observable.active(held.expiresAt, held.generation, held.params === 0);
    if (held.params === 0) this.#keeper.held(windowOf(held));
  }

  /** The user signs out here. What is told from now on is of another session. */
  #leave(): void {
    this.#told += 1;
    this.#mirror.clear();
    this.#keeper.over();
    this.#observable.over("signed-out", undefined);
  }

  /** The record may have changed: the mirror forgets, and if anybody is looking, the core looks. */
  #drop(): void {
    this.#mirror.clear();
    if (this.#closed || !this.#isWatched() || this.#instance.crash !== undefined) return;
    queueMicrotask(() => {
      if (!this.#closed) void this.#look();
    });
  }

  /** Is anybody looking? */
  #isWatched(): boolean {
    return this.#observable.hasListeners || this.#keeper.active;
  }

  async #look(): Promise<void> {
    const told = this.#told;
    try {
      await this.#kept(() => this.#core.look());
    } catch (error) {
      // What was said of the session meanwhile is newer than what this look found.
      if (told !== this.#told) return;
      if (isOver(error)) this.#mirror.clear();
      this.#failed(error);
    }
  }

  /** The page may have missed what others said. */
  #wake(): void {
    this.#keeper.wake();
    if (this.#instance.crash === undefined) this.#instance.enter(() => this.#core.wake());
  }

  /** Something of the host works less well than it should. Who has noticed may be inside of a call by the core. */
  #degraded(what: string): void {
    queueMicrotask(() => {
      if (!this.#closed && this.#instance.crash === undefined) this.#instance.enter(() => this.#core.degraded(what));
    });
  }

  #emit(event: CoordinatorEvent): void {
    if (event.type === "refreshed" || event.type === "adopted") {
      this.#happened += 1;
      this.#lastEvent = event.type;
    }
    this.#observable.emit(event);
    const channel = heard(event.type);
    if (channel !== undefined) publish(channel, event as DiagnosticsMessages[keyof DiagnosticsMessages]);
  }
}

function isOver(error: unknown): error is RevokedError | NoSessionError {
  return error instanceof RevokedError || error instanceof NoSessionError;
}

// Where the host knows `using`: the end of the block closes the coordinator.
const dispose = (Symbol as { dispose?: symbol }).dispose;
if (dispose !== undefined) {
  Object.defineProperty(RefreshCoordinator.prototype, dispose, {
    value(this: RefreshCoordinator) {
      this.close();
    },
  });
}

/** Is a change of the session's record by somebody else heard of? "mostly" needs `background`: what was not heard of is looked for there. */
function hearing(host: Host, background: boolean): Hearing {
  try {
    const { own, scope, watch } = host.stores.session;
    if (own === true) return "always";
    if (host.channel === undefined && typeof watch !== "function") return "never";
    if (scope !== "host" && scope !== "cluster") return "always";
    return background ? "mostly" : "never";
  } catch {
    return "never";
  }
}
