/**
 * A page's calls to its worker: each is answered, or settles in bounded time whatever becomes of the worker.
 *
 * A call that was not answered is made again where the worker was started anew or another connection can be had, if it does nothing
 * twice. Of all others is asked only what became of them, and a worker that does not know says so: a session that was given to it
 * once must not come back later.
 */

import { makeError, type RefreshError } from "../errors.js";
import { raised } from "./crossing.js";
import { type Connection, gone, LONGER_THAN_A_REFRESH, type Opening } from "./opening.js";
import { type Ask, changesSession, type Envelope, envelop, isEnvelope, mayRepeat, type Member, newName, type Outcome, PROTOCOL, type State, TAG, type Tell } from "./protocol.js";

/** Durations in milliseconds. */
export interface Limits {
  readonly callTimeout: number;
  readonly patience: number;
}

/** A timer that is late by more than this, in milliseconds, says that the page slept. */
const LATE = 1_000;

/** An answer that is no error. */
export type Answered = Extract<Outcome, { value: unknown }>;
/** Hears what the worker says of its coordinator. */
export type Told = (state: State, news: (Tell & { type: "news" }) | undefined) => void;

interface Pending {
  readonly ask: Ask & { type: "call" };
  readonly repeatable: boolean;
  /** Has any worker heard of it, as far as one knows here? */
  posted: boolean;
  resolve(answered: Answered): void;
  reject(error: RefreshError): void;
  readonly stopClock: () => void;
}

export class Link {
  readonly #opening: Opening;
  readonly #name: string;
  readonly #limits: Limits;
  readonly #tell: Told;
  readonly #from = newName();
  readonly #pending = new Map<number, Pending>();
  #calls = 0;
  #connection: Connection | undefined;
  /** Counts attempts: what an earlier one has to say means nothing any more. */
  #attempt = 0;
  #opens = false;
  /** Was the connection made anew since anything was heard? */
  #retried = false;
  #life: string | undefined;
  /** How many times in a row the watch has heard nothing. */
  #silent = 0;
  /** Since when nothing was heard of what was asked. */
  #silentSince: number | undefined;
  #stopWatch: (() => void) | undefined;
  #closed = false;

  constructor(opening: Opening, name: string, limits: Limits, tell: Told) {
    this.#opening = opening;
    this.#name = name;
    this.#limits = limits;
    this.#tell = tell;
    this.#open();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Throws if the arguments cannot be cloned. */
  call(member: Member, args: readonly unknown[]): Promise<Answered> {
    const id = (this.#calls += 1);
    const ask = { type: "call", from: this.#from, id, member, args } as const;
    // Also when there is no connection yet: the caller is to hear it at once.
    const posted = this.#connection !== undefined;
    if (this.#connection === undefined) structuredClone(args);
    else this.#send(this.#connection, ask);
    return new Promise((resolve, reject) => {
      const late = () => this.#settle(id, ({ reject }) => reject(gone("worker-timeout", "the worker did not answer within `callTimeout`")));
      const repeatable = mayRepeat(member, args);
      this.#pending.set(id, { ask, repeatable, posted, resolve, reject, stopClock: alarm(this.#limits.callTimeout, this.#limits.patience, late) });
      if (this.#connection === undefined && !this.#opens) this.#open();
      this.#watch();
    });
  }

  /** The page may have missed what the worker said. */
  wake(): void {
    if (this.#closed || this.#opens) return;
    if (this.#connection === undefined) this.#open();
    else this.#post({ type: "hello", from: this.#from });
  }

  /** The page goes, perhaps only to rest in the back/forward cache. */
  leave(forGood: boolean): void {
    if (forGood) return this.#post({ type: "bye", from: this.#from });
    if (this.#connection?.restless === false) return;
    // Whoever comes back may come back to another session.
    const lost = gone("worker-lost", "the page went to rest before the worker had answered");
    this.#refuse(lost, ({ ask }) => changesSession(ask.member));
    this.#disconnect();
  }

  /** No more calls; those that are open are answered still. */
  close(): void {
    this.#closed = true;
    if (this.#pending.size === 0) this.#disconnect();
  }

  #open(): void {
    const number = (this.#attempt += 1);
    const current = <T extends unknown[]>(react: (...told: T) => void) => (...told: T) => void (number === this.#attempt && react(...told));
    this.#opens = true;
    this.#opening.open({
      opened: (connection) => {
        if (number !== this.#attempt) return connection.close();
        this.#opens = false;
        this.#connection = connection;
        this.#life = undefined;
        this.#silent = 0;
        this.#silentSince = undefined;
        this.#post({ type: "hello", from: this.#from });
        this.#again();
        this.#watch();
      },
      heard: current((data) => this.#heard(data)),
      lost: current((error) => this.#lost(error)),
      moved: current(() => (this.#disconnect(), this.#open())),
    });
  }

  #disconnect(): void {
    this.#post({ type: "bye", from: this.#from, ...(this.#connection?.owned === true && { ends: true }) });
    this.#attempt += 1;
    this.#opens = false;
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** Another connection, once; if that one is silent too, whoever waits hears why. */
  #lost(error: RefreshError): void {
    // It never ran, so nobody has heard what was asked of it. One that ends with its connection may run on for a while.
    if (error.code === "worker-failed" && this.#connection?.owned !== true) for (const pending of this.#pending.values()) pending.posted = false;
    if (this.#opening.again) this.#disconnect();
    if (this.#opening.again && !this.#retried && this.#pending.size > 0) {
      this.#retried = true;
      this.#open();
      return;
    }
    this.#retried = false;
    this.#refuse(error);
  }

  #refuse(error: RefreshError, which: (pending: Pending) => boolean = () => true): void {
    for (const [id, pending] of [...this.#pending]) which(pending) && this.#settle(id, ({ reject }) => reject(error));
  }

  #again(): void {
    for (const [id, pending] of this.#pending) {
      const { ask, posted, repeatable } = pending;
      this.#post(posted && !repeatable ? { type: "recall", from: this.#from, id } : ask);
      pending.posted = true;
    }
  }

  #heard(data: unknown): void {
    if (!isEnvelope(data) || data.name !== this.#name) return;
    if (data.to !== undefined && data.to !== this.#from) return;
    if (data[TAG] !== PROTOCOL) return this.#mismatched(data[TAG]);
    this.#silent = 0;
    this.#silentSince = undefined;
    this.#retried = false;
    const message = data as Tell & Envelope;
    if (message.type === "version") return;
    if (message.type !== "pong" && message.type !== "idle") this.#tell(message, message.type === "news" ? message : undefined);
    if (message.type === "answer") this.#answered(message.id, message.outcome);
    const before = this.#life;
    this.#life = message.life;
    // The worker was stopped, and started by what it has heard since: of what it had been asked before, it knows nothing.
    if (before !== undefined && before !== this.#life) this.#again();
  }

  #answered(id: number, outcome: Outcome): void {
    // The worker need not know it any longer.
    if (this.#pending.get(id)?.repeatable !== true) this.#post({ type: "heard", from: this.#from, id });
    this.#settle(id, ({ resolve, reject }) => ("error" in outcome ? reject(raised(outcome.error)) : resolve(outcome)));
  }

  #mismatched(version: number): void {
    const message =
      `the worker speaks version ${version} of the protocol and this page version ${PROTOCOL}: they come from two versions of ` +
      "refresh-coordinator. Close or reload all pages of this app, or give the worker another name with each version";
    if (this.#opening.again) this.#disconnect();
    this.#refuse(makeError("configuration", { message, code: "worker-version", fault: "host", spent: "no" }));
  }

  #settle(id: number, how: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.stopClock();
    how(pending);
    if (this.#pending.size > 0) return;
    this.#stopWatch?.();
    this.#stopWatch = undefined;
    if (this.#closed) this.#disconnect();
  }

  /** While somebody waits: asks a silent worker whether it is there, and takes one that does not answer for gone. */
  #watch(): void {
    if (this.#stopWatch !== undefined || this.#connection === undefined || this.#pending.size === 0) return;
    this.#silent = 1;
    this.#silentSince ??= performance.now();
    const half = this.#limits.patience / 2;
    const look = () => {
      this.#stopWatch = undefined;
      if (this.#connection === undefined) return;
      this.#silent += 1;
      if (this.#silent > 2) {
        this.#silenced(this.#connection);
      } else {
        if (this.#silent > 1) this.#post({ type: "ping", from: this.#from });
        this.#stopWatch = alarm(half, half, look);
      }
    };
    this.#stopWatch = alarm(half, half, look);
  }

  /** A worker that ends with its connection is given the time of a refresh: it may only be busy. Whoever asked hears it now. */
  #silenced({ owned }: Connection): void {
    const since = performance.now() - (this.#silentSince ?? 0);
    if (owned && since < LONGER_THAN_A_REFRESH) this.#refuse(gone("worker-timeout", "the worker did not answer within `patience`"));
    else this.#lost(gone("worker-lost", "the worker does not answer"));
  }

  #post(message: Ask): void {
    if (this.#connection !== undefined) this.#send(this.#connection, message);
  }

  #send(connection: Connection, message: Ask): void {
    try {
      connection.post(envelop(this.#name, message));
    } catch (error) {
      // What else a connection has to complain about shows by its silence.
      if ((error as Error).name === "DataCloneError") throw error;
    }
  }
}

/** Calls back after so many milliseconds. If the page slept meanwhile, it gets `more` of them, once: what it was told waits to be heard. */
function alarm(ms: number, more: number, ring: () => void): () => void {
  const due = performance.now() + ms;
  let timer = setTimeout(() => {
    if (performance.now() - due > LATE) timer = setTimeout(ring, more);
    else ring();
  }, ms);
  return () => clearTimeout(timer);
}
