/** Those who subscribed. What one of them throws is reported once, and is nobody else's trouble. */

import type { CoordinatorEvent, Listener } from "./types.js";

export class Listeners {
  readonly #listeners = new Set<Listener>();
  /** Listeners that have thrown: each is reported once. */
  readonly #reported = new WeakSet<Listener>();

  get size(): number {
    return this.#listeners.size;
  }

  /** Returns a function that ends it. */
  add(listener: Listener): () => void {
    // A function of its own for each subscription: the same listener may subscribe twice.
    const own: Listener = (event) => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  tell(event: CoordinatorEvent | undefined): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        // A listener's trouble is its own: it must be seen, once, and be nobody else's.
        if (!this.#reported.has(listener)) report(error);
        this.#reported.add(listener);
      }
    }
  }
}

function report(error: unknown): void {
  const { reportError } = globalThis as { reportError?: (error: unknown) => void };
  if (reportError === undefined) console.error("refresh-coordinator: a listener threw", error);
  else reportError(error);
}
