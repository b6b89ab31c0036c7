/** The worker's half: answers pages that use the coordinator of this worker as if it were theirs. */

import type { RefreshCoordinator } from "../coordinator.js";
import { wrongArgument } from "../errors.js";
import { INSIDE, type Inside } from "../inside.js";
import type { CoordinatorEvent } from "../types.js";
import { accept, type Caller, type Hear, hearWith, inServiceWorker, isServed, tellClients } from "./callers.js";
import { crossing, toldError, toldSnapshot } from "./crossing.js";
import { type Ask, envelop, type Member, MEMBERS, type Outcome, type State, type Tell } from "./protocol.js";

/** The options of {@link serve}. */
export interface ServeOptions {
  /** Which coordinator this is, for a worker with several: the same as that of `connect`. Default: `default`. */
  name?: string;
}

/** What {@link serve} returns. */
export interface Serving {
  /**
   * Answers at this port too, which was handed to this worker or page by other means. Whoever holds its other end can use the
   * session: never give it to another origin.
   */
  accept(port: MessagePort): void;
  /** Answers nobody any more. The coordinator stays as it is. */
  close(): void;
}

/** What a coordinator of this worker has under way. */
const working = new Set<Promise<unknown>>();

/**
 * The option `waitUntil` of a coordinator in a service worker: the browser does not stop the worker in the middle of a refresh, also
 * if that began in the background or its page is gone.
 *
 * @example
 * const auth = new RefreshCoordinator({ clientId, tokenEndpoint, waitUntil });
 */
export function waitUntil(promise: Promise<unknown>): void {
  working.add(promise);
  const done = () => void working.delete(promise);
  promise.then(done, done);
}

/**
 * Lets the pages of this origin use the coordinator of this worker, through `connect`. In a shared worker every tab that constructs
 * it, in a service worker every client, in a dedicated worker the page that started it; those that came before are answered too.
 *
 * Only pages of the same origin can be at the other end: the browser lets no other start or reach this worker. Refresh tokens are not
 * among what they are told (but for `renew`): they stay in the worker.
 *
 * @throws ConfigurationError if `auth` is no coordinator, if its name is served already, or if in a service worker its option
 * `waitUntil` is missing.
 * @example
 * ```ts
 * // auth-worker.js, a shared worker: the session never touches the disk, and ends with the last tab
 * import { memoryStore, RefreshCoordinator } from "refresh-coordinator";
 * import { serve } from "refresh-coordinator/worker";
 * serve(new RefreshCoordinator({ clientId: "web", tokenEndpoint: "https://issuer.example/token", store: memoryStore() }));
 * ```
 */
export function serve(auth: RefreshCoordinator, { name = "default" }: ServeOptions = {}): Serving {
  const inside = insideOf(auth);
  if (isServed(name)) throw wrongArgument("already-served", `this worker serves a coordinator of the name ${JSON.stringify(name)} already`);
  const server = new Server(auth, inside, name);
  return { accept: (port) => server.accept(port), close: () => server.close() };
}

function insideOf(auth: RefreshCoordinator): Inside {
  const inside = (auth as Partial<RefreshCoordinator> | undefined)?.[INSIDE];
  if (inside === undefined) throw wrongArgument("wrong-argument", "`serve` needs a RefreshCoordinator");
  if (inServiceWorker && !inside.waits) {
    const message = "in a service worker the coordinator needs the option `waitUntil`, or the browser may stop it in the middle of a refresh: ";
    throw wrongArgument("wait-until-missing", `${message}import { waitUntil } from "refresh-coordinator/worker"`);
  }
  return inside;
}

class Server {
  readonly #auth: RefreshCoordinator;
  readonly #inside: Inside;
  readonly #name: string;
  readonly #life = Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join("");
  /** Who is told of changes, by the name of the connection. */
  readonly #staying = new Map<string, Caller>();
  /** Open calls, and where their answer goes: to where they were last heard from. */
  readonly #open = new Map<string, Caller>();
  /** Before the first look at the record, the snapshot would say that nothing is known. */
  readonly #looked: Promise<void>;
  readonly #stop: (() => void)[];
  #closed = false;

  constructor(auth: RefreshCoordinator, inside: Inside, name: string) {
    this.#auth = auth;
    this.#inside = inside;
    this.#name = name;
    this.#looked = inside.look();
    this.#stop = [
      auth.subscribe((event) => void this.#changed(event)),
      hearWith(name, (message, caller) => this.#hear(message, caller)),
    ];
  }

  accept(port: MessagePort): void {
    const hearer: Hear = (message, caller) => (this.#closed ? undefined : this.#hear(message, caller));
    accept(port, { name: this.#name, hearer });
  }

  close(): void {
    this.#closed = true;
    for (const stop of this.#stop) stop();
    this.#staying.clear();
  }

  #hear(message: Ask, caller: Caller): Promise<unknown> | undefined {
    switch (message.type) {
      case "hello":
        if (caller.stays) this.#staying.set(message.from, caller);
        return this.#welcome(message.from, caller);
      case "call":
        return this.#call(message, caller);
      case "ping":
        this.#post(caller, { type: "pong", to: message.from, life: this.#life });
        return undefined;
      case "bye":
        this.#staying.delete(message.from);
        return undefined;
    }
  }

  async #welcome(to: string, caller: Caller): Promise<void> {
    await this.#looked;
    this.#post(caller, { type: "welcome", to, life: this.#life, ...this.#state() });
  }

  async #call({ from, id, member, args }: Ask & { type: "call" }, caller: Caller): Promise<void> {
    const call = `${from} ${id}`;
    const known = this.#open.has(call);
    this.#open.set(call, caller);
    if (!known) {
      const outcome = await this.#outcome(member, args);
      const to = this.#open.get(call) ?? caller;
      this.#open.delete(call);
      // What the snapshot says by now, a caller who has its answer expects to see.
      const answer = { type: "answer", to: from, life: this.#life, id, ...this.#state() } as const;
      try {
        this.#post(to, { ...answer, outcome });
      } catch (error) {
        // Something in it cannot be cloned.
        this.#post(to, { ...answer, outcome: { error: toldError(error) } });
      }
    }
    await settled();
  }

  async #outcome(member: Member, args: readonly unknown[]): Promise<Outcome> {
    try {
      if (!MEMBERS.includes(member)) throw wrongArgument("wrong-argument", "there is no such member");
      const value: unknown = await (this.#auth[member] as (...args: readonly unknown[]) => Promise<unknown>)(...args);
      return crossing(member, value, this.#inside.sessionOf);
    } catch (error) {
      return { error: toldError(error) };
    }
  }

  async #changed(event: CoordinatorEvent | undefined): Promise<void> {
    await this.#looked;
    const news: Tell = { type: "news", life: this.#life, ...(event !== undefined && { event }), ...this.#state() };
    for (const caller of this.#staying.values()) this.#post(caller, news);
    const told = tellClients(envelop(this.#name, news)).catch(() => {});
    if (inServiceWorker) waitUntil(told);
  }

  #state(): State {
    return { snapshot: toldSnapshot(this.#auth.getSnapshot()), stats: this.#auth.stats() };
  }

  #post(caller: Caller, message: Tell): void {
    caller.post(envelop(this.#name, message));
  }
}

/** Settled when nothing is under way in this worker any more. */
async function settled(): Promise<void> {
  do {
    await Promise.allSettled(working);
    // What a settled promise sets off, say a refresh ahead of need, begins in the same task.
    await new Promise((resolve) => setTimeout(resolve));
  } while (working.size > 0);
}
