/// <reference lib="esnext.disposable" preserve="true" />
/** The page's half: a coordinator whose session is in a worker, with the members of one that is here. */

import { detachable, handled, isEvent, isSignal, mistakenForTokens, refused, wrongDemand, wrongOptions, wrongRefresh, wrongRenewal } from "../calls.js";
import { wrongArgument } from "../errors.js";
import { Listeners } from "../listeners.js";
import { accessTokenOf } from "../mirror.js";
import { onWake } from "../page-life.js";
import { pageLocation } from "../page-location.js";
import { Replacement } from "../replacement.js";
import { fetchWith, runWith, type Tokens } from "../resource-calls.js";
import { UNKNOWN } from "../snapshot.js";
import type { CallOptions, Listener, RefreshOptions, RenewOptions, Snapshot, Stats, TokenInput, TokenSet } from "../types.js";
import type { Coordinator } from "./coordinator.js";
import { arrived, shownSnapshot } from "./crossing.js";
import { Link, type Told } from "./link.js";
import { type Connectable, openingOf } from "./opening.js";
import type { Member } from "./protocol.js";

/** The options of {@link connect}. Durations are milliseconds. */
export interface ConnectOptions {
  /** Which coordinator, in a worker that serves several: the same as that of `serve`. Default: `default`. */
  name?: string;
  /** Where {@link Coordinator.fetch} may send the token. Default: the page's own origin. */
  origins?: readonly string[];
  /** Sends the requests of {@link Coordinator.fetch}. Default: the global one. */
  fetch?: (input: string, init: RequestInit) => unknown;
  /** How long a call waits in all. Default: 35 s, a little more than the coordinator itself takes. */
  callTimeout?: number;
  /** How long a worker may be silent while it is asked for something, before it is taken for gone (a dedicated worker of this page: before calls reject). Default: 5 s. */
  patience?: number;
}

const NOTHING_COUNTED: Stats = Object.freeze({
  ...{ presentations: 0, joins: 0, adoptions: 0, waits: 0, takeOvers: 0, refusals: 0, presentationsSaved: 0 },
});

/**
 * Uses the coordinator of a worker as if it were here. Never waits: what the snapshot says is known a moment later.
 *
 * Given a function, it makes another worker when one is gone: also after this page rested in the back/forward cache. A dedicated worker
 * that it made is ended after `close`, once nothing is under way there (if its coordinator has the option `waitUntil`), or a minute later. A service
 * worker is started by the browser whenever it is called, and may be replaced by another version. With a worker or port as such, calls
 * reject once it is gone.
 *
 * What may be done only once (`setTokens`, `signOut`, `renew`, a `refresh` without `rejected`) is never done again: if its answer was
 * lost together with the worker, it rejects with `worker-lost`, and so do `setTokens` and `signOut` that are open when the page goes to
 * rest in the back/forward cache. `spent` is `maybe` then: `getTokens` tells what there is.
 *
 * Beyond what the coordinator rejects with, calls reject with a `TransientError` `worker-lost`, `worker-failed` or `worker-timeout` if
 * the worker does not answer, with a `ConfigurationError` `worker-version` if it is one of another version of this package, and with
 * one of the code `no-worker` if there can be none here: where `SharedWorker` or `navigator.serviceWorker` is missing, as while a server
 * renders, `connect` itself works, and only calls reject. Every call settles within `callTimeout`.
 *
 * Token sets have no refresh token, which stays in the worker (but for those of `renew`). Errors are of the same classes, without
 * `cause`. `stats` and `getSnapshot` are what the worker last said. `keepFresh` and `drainRevocations` are missing: the worker calls them
 * on its own coordinator.
 *
 * @throws ConfigurationError if it is nothing one can connect to, or if an option is wrong.
 * @example
 * ```ts
 * const auth = connect(() => new SharedWorker(new URL("./auth-worker.js", import.meta.url), { type: "module" }));
 * const elsewhere = connect(navigator.serviceWorker, { origins: ["https://api.example"] });
 * ```
 */
export function connect(to: Connectable | undefined, options: ConnectOptions = {}): Coordinator {
  return new RemoteCoordinator(to, options);
}

class RemoteCoordinator implements Coordinator {
  readonly #link: Link;
  readonly #listeners = new Listeners();
  /** Open calls by demand. */
  readonly #shared = new Map<string, Promise<unknown>>();
  readonly #accessTokens = new WeakMap<Promise<TokenSet>, Promise<string>>();
  readonly #sessions = new WeakMap<TokenSet, string | undefined>();
  readonly #tokens: Tokens = {
    getTokens: (options) => this.getTokens(options),
    replacement: new Replacement({
      refresh: (options) => this.refresh(options),
      sessionOf: (tokens) => this.#sessions.get(tokens),
    }),
  };
  readonly #fetch: (input: string, init: RequestInit) => unknown;
  readonly #origins: ReadonlySet<string>;
  readonly #end: () => void;
  #snapshot: Snapshot = UNKNOWN;
  #stats: Stats = NOTHING_COUNTED;

  constructor(to: Connectable | undefined, options: ConnectOptions) {
    const { name = "default", origins, fetch, callTimeout = 35_000, patience = 5_000 } = checked(options);
    const page = pageLocation();
    this.#fetch = fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#origins = new Set((origins ?? (page === undefined ? [] : [page])).map((origin) => originOf(origin, page)).filter((origin) => origin !== "null"));
    this.#link = new Link(openingOf(to), name, { callTimeout, patience }, (...told) => this.#told(...told));
    const leave = (event: Event) => this.#link.leave(!(event as PageTransitionEvent).persisted);
    globalThis.addEventListener?.("pagehide", leave);
    const endWake = onWake(() => this.#link.wake());
    this.#end = () => {
      globalThis.removeEventListener?.("pagehide", leave);
      endWake();
    };
  }

  readonly getTokens = (options?: CallOptions): Promise<TokenSet> => this.#with(options, (params) => this.#sharing("getTokens", params));

  readonly getAccessToken = (options?: CallOptions): Promise<string> => {
    if (options === undefined) return this.#accessToken(this.getTokens());
    // The access token of one set is one promise; whoever brings a signal leaves that one.
    return this.#with(options, (params) => this.#accessToken(this.#sharing("getTokens", params)));
  };

  readonly refresh = (options?: RefreshOptions): Promise<TokenSet> => {
    if (options === undefined || isEvent(options)) return this.#sharing("refresh", []);
    const wrong = wrongRefresh(options);
    if (wrong !== undefined) return refused("wrong-argument", wrong);
    return this.#with(options, ([params]) => {
      const wrong = wrongDemand(options);
      if (wrong !== undefined) return refused("wrong-argument", wrong);
      const { rejected, mintedAfterNow } = options;
      const demand = { ...params, ...(rejected !== undefined && { rejected }), ...(mintedAfterNow === true && { mintedAfterNow }) };
      return this.#sharing("refresh", Object.keys(demand).length === 0 ? [] : [demand]);
    });
  };

  readonly renew = (tokens: TokenInput | TokenSet, options?: RenewOptions): Promise<TokenSet> => {
    return this.#with(options, ([params]) => {
      const wrong = wrongRenewal(options ?? {});
      if (wrong !== undefined) return refused("wrong-argument", wrong);
      const { newer, mintedAfterNow, canPersist } = options ?? {};
      const demand = {
        ...params,
        ...(newer === true && { newer }),
        ...(mintedAfterNow === true && { mintedAfterNow }),
        ...(canPersist === false && { canPersist }),
      };
      return this.#sharing("renew", Object.keys(demand).length === 0 ? [tokens] : [tokens, demand]);
    });
  };

  readonly setTokens = (tokens: TokenInput | TokenSet): Promise<TokenSet> => {
    const mistaken = mistakenForTokens(tokens);
    if (mistaken !== undefined) return refused("wrong-argument", `\`setTokens\` needs tokens, not ${mistaken}`);
    // Who calls from now on does not mean the session before.
    this.#shared.clear();
    return this.#ask("setTokens", [tokens]);
  };

  readonly signOut = (tokens?: TokenInput | TokenSet): Promise<{ revoked: boolean }> => {
    this.#shared.clear();
    return this.#ask("signOut", tokens === undefined || isEvent(tokens) ? [] : [tokens]);
  };

  readonly fetch = (input: string | URL | Request, init?: RequestInit): Promise<Response> =>
    fetchWith(this.#tokens, { fetch: this.#fetch, origins: this.#origins }, input, init);

  readonly run = <T>(operation: (accessToken: string) => T, options?: CallOptions): Promise<Awaited<T>> =>
    runWith(this.#tokens, operation, options);

  readonly subscribe = (listener: Listener): (() => void) => {
    if (typeof listener !== "function") throw wrongArgument("wrong-argument", "`subscribe` needs a function");
    return this.#listeners.add(listener);
  };

  readonly getSnapshot = (): Snapshot => this.#snapshot;

  readonly stats = (): Stats => this.#stats;

  readonly close = (): void => {
    this.#end();
    this.#link.close();
  };

  /** The same at the end of a `using` block, where the host knows them. */
  declare readonly [Symbol.dispose]: () => void;

  /** Reads the last argument of a member; a signal detaches this one caller. */
  #with<T>(options: CallOptions | undefined, call: (params: object[]) => Promise<T>): Promise<T> {
    if (options === undefined) return call([]);
    const wrong = wrongOptions(options);
    if (wrong !== undefined) return refused("wrong-argument", wrong);
    try {
      const { signal, params } = options;
      if (signal !== undefined && !isSignal(signal)) return refused("wrong-argument", "`signal` must be an AbortSignal");
      if (signal?.aborted === true) return handled(Promise.reject(signal.reason as Error));
      const shared = call(params === undefined ? [] : [{ params }]);
      return signal === undefined ? shared : detachable(shared, signal);
    } catch (error) {
      return handled(Promise.reject(error as Error));
    }
  }

  /** The open promise for this demand, or a new one. */
  #sharing<T>(member: Member, args: readonly unknown[]): Promise<T> {
    const demand = demandOf(member, args);
    const open = demand === undefined ? undefined : this.#shared.get(demand);
    if (open !== undefined) return open as Promise<T>;
    const promise = this.#ask<T>(member, args);
    if (demand === undefined) return promise;
    this.#shared.set(demand, promise);
    const forget = () => void (this.#shared.get(demand) === promise && this.#shared.delete(demand));
    promise.then(forget, forget);
    // "After now" is another moment for every task.
    if ((args.at(-1) as RefreshOptions | undefined)?.mintedAfterNow === true) queueMicrotask(forget);
    return promise;
  }

  #ask<T>(member: Member, args: readonly unknown[]): Promise<T> {
    if (this.#link.closed) return refused("closed", "this coordinator was closed");
    try {
      const answer = this.#link.call(member, args).then(({ value, session }) => {
        const tokens = arrived(value);
        if (member !== "signOut") this.#sessions.set(tokens as TokenSet, session);
        return tokens as T;
      });
      return handled(answer);
    } catch (error) {
      return refused("wrong-argument", `what was given to \`${member}\` cannot be handed over to the worker: ${(error as Error).name}`);
    }
  }

  #accessToken(tokens: Promise<TokenSet>): Promise<string> {
    const known = this.#accessTokens.get(tokens);
    if (known !== undefined) return known;
    const promise = accessTokenOf(tokens);
    this.#accessTokens.set(tokens, promise);
    return promise;
  }

  #told(...[state, news]: Parameters<Told>): void {
    this.#stats = Object.freeze(state.stats);
    const before = this.#snapshot;
    this.#snapshot = shownSnapshot(state.snapshot, before);
    const event = news?.event;
    // What was asked before is not to answer who asks for the session that there is now.
    if (event?.type === "signed-in" || event?.type === "signed-out") this.#shared.clear();
    if (this.#link.closed) return;
    if (event !== undefined) this.#listeners.tell(Object.freeze(event));
    if (this.#snapshot !== before) this.#listeners.tell(undefined);
  }
}

const dispose = (Symbol as { dispose?: symbol }).dispose;
if (dispose !== undefined) {
  Object.defineProperty(RemoteCoordinator.prototype, dispose, {
    value(this: RemoteCoordinator) {
      this.close();
    },
  });
}

/** What is asked for, as a text: equal for equal demands. `undefined` if it has no such form. */
function demandOf(member: Member, args: readonly unknown[]): string | undefined {
  try {
    return member + JSON.stringify(args, (_, value: unknown) => (isPlain(value) ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))) : value));
  } catch {
    return undefined;
  }
}

const isPlain = (value: unknown): value is object => typeof value === "object" && value !== null && !Array.isArray(value);

const OPTIONS = ["name", "origins", "fetch", "callTimeout", "patience"];

function checked(options: ConnectOptions): ConnectOptions {
  const wrong = (what: string) => wrongArgument("invalid-option", what);
  if (typeof options !== "object" || options === null) throw wrong("the options of `connect` must be an object");
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) throw wrong(`\`connect\` has no option \`${unknown}\``);
  const { name, origins, fetch } = options;
  if (name !== undefined && typeof name !== "string") throw wrong("the option `name` must be a string");
  if (origins !== undefined && !Array.isArray(origins)) throw wrong("the option `origins` must be an array of origins");
  if (fetch !== undefined && typeof fetch !== "function") throw wrong("the option `fetch` must be a function");
  for (const name of ["callTimeout", "patience"] as const) {
    const value = options[name];
    if (value !== undefined && !(typeof value === "number" && value > 0 && value < 2 ** 31)) {
      throw wrong(`the option \`${name}\` must be a number of milliseconds`);
    }
  }
  return options;
}

function originOf(origin: string, page: string | undefined): string {
  try {
    return new URL(origin, page).origin;
  } catch {
    throw wrongArgument("invalid-option", `the option \`origins\` must be an array of origins, and ${JSON.stringify(origin)} is none`);
  }
}
