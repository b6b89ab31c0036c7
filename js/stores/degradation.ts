/** What a store of ours says of itself: that something works less well than it should. Its coordinators make an event of it. */

/** What works less well. */
export type Degraded = "keyring" | "mirror" | "store";

type Listener = (what: Degraded) => void;

/** A store that says so. */
export interface Degrading {
  /** Calls the listener with what works less well, now or later. Returns a function that ends it. @internal */
  onDegraded(listener: Listener): () => void;
}

export class Degradation implements Degrading {
  readonly #listeners = new Set<Listener>();
  readonly #known = new Set<Degraded>();

  /** Said once, until it is over. */
  begins(what: Degraded): void {
    if (this.#known.has(what)) return;
    this.#known.add(what);
    for (const listener of this.#listeners) listener(what);
  }

  over(what: Degraded): void {
    this.#known.delete(what);
  }

  readonly onDegraded = (listener: Listener): (() => void) => {
    for (const what of this.#known) listener(what);
    // A function of our own, so that one coordinator may listen to a store twice.
    const own: Listener = (what) => listener(what);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  };
}

/** Listens to a store, if it has anything to say. Somebody else's store may have a member of that name, whatever it is. */
export function listenTo(store: unknown, listener: Listener): () => void {
  try {
    const stop: unknown = (store as Partial<Degrading> | undefined)?.onDegraded?.(listener);
    return typeof stop === "function" ? (stop as () => void) : () => {};
  } catch {
    return () => {};
  }
}
