/**
 * Who watches which key of a store in a database, and who tells them: one connection that listens for all.
 *
 * A connection that listens breaks, and what was said in the meantime is not said again. So whenever listening begins, or begins
 * anew, everybody is told that there may be something; and while nobody listens, everybody is told so every second. Must not know
 * what the connection is made of.
 */

import { unheld } from "../unheld.js";

/** One who listens, from the moment it was made until `close`: comes back by itself after every loss. */
export interface Listening {
  /** Is what it was asked to hear being heard now? */
  isReady(): boolean;
  /** Also listens for this key; `begun` of {@link Ears} says when. */
  add?(key: string): void;
  remove?(key: string): void;
  close(): void;
}

/** What a connection that listens calls. */
export interface Ears {
  /** The key has changed. */
  heard(key: string): void;
  /** From now on this key is listened for, or, without one, every key that was asked for. */
  begun(key?: string): void;
}

/** How often everybody is told to look while nobody listens, in milliseconds. */
const MEANWHILE = 1_000;

/** For how long a connection is kept that nobody needs, in milliseconds: in successor mode each refresh watches for a moment. */
const LINGER = 10_000;

export class Hints {
  readonly #listen: (ears: Ears, keys: () => Iterable<string>) => Listening;
  readonly #listeners = new Map<string, Set<() => void>>();
  #listening: Listening | undefined;
  #meanwhile: Timer | undefined;
  #linger: Timer | undefined;

  /** `listen` opens the connection. It is given the keys that are watched, for when it has to begin anew. */
  constructor(listen: (ears: Ears, keys: () => Iterable<string>) => Listening) {
    this.#listen = listen;
  }

  /** The `watch` of a store. Returns at once: the listener is called when listening has begun. */
  readonly watch = (key: string, listener: () => void): (() => void) => {
    const known = this.#listeners.get(key);
    const listeners = known ?? new Set();
    this.#listeners.set(key, listeners);
    // A function of our own, so that a listener may watch twice.
    const entry = () => listener();
    listeners.add(entry);
    this.#open();
    if (known === undefined) this.#listening?.add?.(key);
    return () => {
      if (!listeners.delete(entry) || listeners.size > 0 || this.#listeners.get(key) !== listeners) return;
      this.#listeners.delete(key);
      this.#listening?.remove?.(key);
      if (this.#listeners.size === 0) this.#rest();
    };
  };

  /** Lets the connection go. The next watch opens another one. */
  readonly close = (): void => {
    clearTimeout(this.#linger);
    clearInterval(this.#meanwhile);
    this.#listening?.close();
    this.#listening = undefined;
  };

  #open(): void {
    clearTimeout(this.#linger);
    if (this.#listening !== undefined) return;
    const ears: Ears = {
      heard: (key) => this.#ring(key),
      begun: (key) => (key === undefined ? this.#ringAll() : this.#ring(key)),
    };
    const listening = this.#listen(ears, () => this.#listeners.keys());
    this.#listening = listening;
    const look = () => listening.isReady() || this.#ringAll();
    this.#meanwhile = unheld(setInterval(look, MEANWHILE));
  }

  #rest(): void {
    clearTimeout(this.#linger);
    this.#linger = unheld(setTimeout(this.close, LINGER));
  }

  #ringAll(): void {
    for (const key of [...this.#listeners.keys()]) this.#ring(key);
  }

  #ring(key: string): void {
    for (const listener of [...(this.#listeners.get(key) ?? [])]) {
      try {
        listener();
      } catch {
        // A hint that its listener fails to take is lost; nobody else is harmed.
      }
    }
  }
}

type Timer = ReturnType<typeof setTimeout>;
