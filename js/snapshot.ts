/** What a UI sees: one snapshot, the same object until it changes, and listeners in the shape of `useSyncExternalStore`. */

import type { RefreshError } from "./errors.js";
import type { CoordinatorEvent, Listener, Snapshot } from "./types.js";

const UNKNOWN: Snapshot = Object.freeze({ status: "unknown", expiresAt: undefined, error: undefined, generation: undefined });

export class Observable {
  #snapshot: Snapshot = UNKNOWN;
  /** What the status was before a refresh began. */
  #settled: Snapshot["status"] = "unknown";
  #refreshing = 0;
  readonly #listeners = new Set<Listener>();
  /** Listeners that have thrown: each is reported once. */
  readonly #reported = new WeakSet<Listener>();

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  subscribe(listener: Listener): () => void {
    // A function of its own for each subscription: the same listener may subscribe twice.
    const own: Listener = (event) => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** An event of the core. Delivered later, so that no listener runs inside the core. */
  emit(event: CoordinatorEvent): void {
    queueMicrotask(() => this.#tell(event));
  }

  /** Tokens are held: `main` for the parameters of the options, whose end is the one that is shown. */
  active(expiresAt: number, generation: number, main: boolean): void {
    this.#settled = "active";
    const shown = main || this.#snapshot.expiresAt === undefined ? { expiresAt } : {};
    this.#change({ ...shown, generation, error: undefined });
  }

  over(status: "revoked" | "signed-out", error: RefreshError | undefined): void {
    this.#settled = status;
    this.#change({ expiresAt: undefined, generation: undefined, error });
  }

  failed(error: RefreshError): void {
    this.#change({ error });
  }

  refreshing(begins: boolean): void {
    this.#refreshing += begins ? 1 : -1;
    this.#change({});
  }

  #change(change: Partial<Snapshot>): void {
    // A first look, or a call without a session, is no refresh.
    const status = this.#refreshing > 0 && this.#settled === "active" ? "refreshing" : this.#settled;
    const next: Snapshot = { ...this.#snapshot, ...change, status };
    const same = (Object.keys(next) as (keyof Snapshot)[]).every((key) => next[key] === this.#snapshot[key]);
    if (same) return;
    this.#snapshot = Object.freeze(next);
    queueMicrotask(() => this.#tell(undefined));
  }

  #tell(event: CoordinatorEvent | undefined): void {
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
