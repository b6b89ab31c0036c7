/** What a UI sees: one snapshot, the same object until it changes, and listeners in the shape of `useSyncExternalStore`. */

import type { RefreshError } from "./errors.js";
import { Listeners } from "./listeners.js";
import type { CoordinatorEvent, Listener, Snapshot } from "./types.js";

export const UNKNOWN: Snapshot = Object.freeze({ status: "unknown", expiresAt: undefined, error: undefined, generation: undefined });

export class Observable {
  #snapshot: Snapshot = UNKNOWN;
  /** What the status was before a refresh began. */
  #settled: Snapshot["status"] = "unknown";
  #refreshing = 0;
  readonly #listeners = new Listeners();

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  subscribe(listener: Listener): () => void {
    return this.#listeners.add(listener);
  }

  /** An event of the core. Delivered later, so that no listener runs inside the core. */
  emit(event: CoordinatorEvent): void {
    queueMicrotask(() => this.#listeners.tell(event));
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
    queueMicrotask(() => this.#listeners.tell(undefined));
  }
}
