/**
 * The keyring is asked one thing at a time, by all stores of a process together, and nothing at all while it owes an answer.
 *
 * A keyring that asks the user blocks a thread of Node's pool until the user has answered, and no signal withdraws the call. There are
 * four threads, which the file needs too, and each call may show a prompt of its own.
 *
 * Must not know what is asked.
 */

import type { MaybePromise } from "../types.js";

/**
 * For how long an answer is waited for, in milliseconds: less than a coordinator waits for its store. A keyring may be asking the user for a
 * password, perhaps at a screen that nobody looks at; neither a sign-in nor the only copy of a token must wait for the answer.
 */
export const PATIENCE = 3_000;

/** One who waits for the turn. */
interface Waiting {
  begin(): void;
  giveUp(): void;
}

export class KeyringTurns {
  readonly #waiting = new Set<Waiting>();
  #busy = false;
  /** The call under way was waited for long enough. */
  #unanswered = false;

  /** Calls at its turn. Rejects without having called if the call before it is not answered soon enough. */
  ask<T>(call: () => MaybePromise<T>): Promise<T> {
    if (this.#unanswered) return Promise.reject(notYet());
    return new Promise<T>((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        this.#waiting.delete(turn);
      };
      const turn: Waiting = {
        begin: () => (leave(), resolve(this.#hold(call))),
        giveUp: () => (leave(), reject(notYet())),
      };
      const timer = setTimeout(turn.giveUp, PATIENCE);
      this.#waiting.add(turn);
      this.#next();
    });
  }

  #next(): void {
    const [first] = this.#waiting;
    if (!this.#busy) first?.begin();
  }

  async #hold<T>(call: () => MaybePromise<T>): Promise<T> {
    this.#busy = true;
    const timer = setTimeout(() => {
      this.#unanswered = true;
      for (const turn of [...this.#waiting]) turn.giveUp();
    }, PATIENCE);
    try {
      return await call();
    } finally {
      clearTimeout(timer);
      this.#busy = this.#unanswered = false;
      this.#next();
    }
  }
}

export function notYet(): Error {
  return new Error("the keyring has not answered yet");
}

/** Where all copies of the package find the same ones: a program may have it as a module and as CommonJS. */
const SLOT = Symbol.for("refresh-coordinator.keyring/1");

const own = new KeyringTurns();

/** Those of this process; where the global object cannot be written to, those of this copy of the package. */
export function processTurns(): Pick<KeyringTurns, "ask"> {
  try {
    if (!Object.hasOwn(globalThis, SLOT)) Object.defineProperty(globalThis, SLOT, { value: own, configurable: true });
    const shared = Reflect.get(globalThis, SLOT) as Partial<KeyringTurns> | undefined;
    return typeof shared?.ask === "function" ? (shared as KeyringTurns) : own;
  } catch {
    return own;
  }
}
