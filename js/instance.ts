/**
 * The instance of the wasm module that coordinators live in: made at the first `new`, and again after a crash.
 *
 * Each instance has glue of its own, so that nothing of a crashed one can reach into the next. An exception that leaves
 * the wasm means that Rust did not get to tidy up: the instance is never entered again, and every promise it owes rejects.
 */

import { createGlue, glueModule } from "../pkg/glue.js";
import type { CoreConstructor } from "./core.js";
import { makeError, type RefreshError } from "./errors.js";

/** How this entry of the package comes by its module. */
export interface CoreSource {
  /** Compiles the module, or returns the one that the host has compiled. May throw. */
  readonly compile: () => WebAssembly.Module;
  /** May something be begun in the background? Not where the host ends with the response, unless there is a `waitUntil`. */
  readonly background: boolean;
}

let source: CoreSource | undefined;
let compiled: WebAssembly.Module | undefined;
let current: Instance | undefined;

/** Is called once, by the entry. */
export function provide(provided: CoreSource): void {
  source = provided;
}

/** May something be begun in the background on this host? */
export function mayRunInBackground(): boolean {
  return source?.background === true;
}

/**
 * The instance for a new coordinator.
 *
 * @throws ConfigurationError `no-webassembly` with the remedy, if the host does not let the module be compiled
 */
export function instance(): Instance {
  if (current === undefined || current.crash !== undefined) current = new Instance(instantiableModule());
  return current;
}

function instantiableModule(): WebAssembly.Module {
  try {
    if (source === undefined) throw new Error("no entry of the package was loaded");
    return (compiled ??= source.compile());
  } catch (cause) {
    const why = cause instanceof Error ? ` (${cause.message})` : "";
    const message =
      `this host does not let WebAssembly be compiled${why}. In a page, the Content-Security-Policy must allow ` +
      "'wasm-unsafe-eval' in script-src. With OpenNext on Cloudflare, add serverExternalPackages: " +
      '["refresh-coordinator"] to the Next configuration. In iOS Lockdown Mode there is no WebAssembly.';
    throw makeError("configuration", { message, code: "no-webassembly", fault: "host", spent: "no", cause });
  }
}

/**
 * What a call that must end quietly returns. The glue takes results apart, `[error, hasThrown]` among them: this is nothing
 * in every shape.
 */
const NOTHING: readonly number[] = Object.freeze([0, 0, 0, 0]);

/** One instance, and what it owes. */
export class Instance {
  /** Why it must not be entered any more. */
  crash: RefreshError | undefined;
  /** The class of this instance. */
  readonly Core: CoreConstructor;
  readonly #kept = new WeakMap<Promise<unknown>, Promise<unknown>>();
  /** Rejects or releases what would wait for this instance for ever. */
  readonly #owed = new Set<(crash: RefreshError) => void>();
  /** How many calls into the wasm are on the stack. */
  #depth = 0;

  constructor(module: WebAssembly.Module) {
    const glue = createGlue();
    const { exports } = new WebAssembly.Instance(module, { [glueModule]: glue });
    glue.__wbg_set_wasm(this.#guarded(exports));
    (exports["__wbindgen_start"] as (() => void) | undefined)?.();
    this.Core = glue.RefreshCoordinator as CoreConstructor;
  }

  /** Calls into the wasm. Throws `RefreshError` if that is no longer possible, or if it traps. */
  enter<T>(call: () => T): T {
    if (this.crash !== undefined) throw this.crash;
    let result: T;
    try {
      result = call();
    } catch (error) {
      throw this.crash ?? error;
    }
    // The guard ends a crashed call quietly: what it returned means nothing.
    if (this.#hasCrashed()) throw this.crash;
    return result;
  }

  /**
   * A promise that settles as the given one does, or rejects if the instance crashes first. Marked as handled. The same one
   * for the same promise.
   */
  keep<T>(promise: Promise<T>): Promise<T> {
    const known = this.#kept.get(promise) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const kept = new Promise<T>((resolve, reject) => {
      const settled = this.onCrash(reject);
      promise.then(
        (value) => (settled(), resolve(value)),
        (error: unknown) => (settled(), reject(error as Error)),
      );
    });
    kept.catch(() => {});
    this.#kept.set(promise, kept);
    return kept;
  }

  /** Has something done when the instance crashes. Returns how to take that back. */
  onCrash(release: (crash: RefreshError) => void): () => void {
    // A function of our own, so that one thing can be owed twice.
    const owed = (crash: RefreshError) => release(crash);
    this.#owed.add(owed);
    return () => void this.#owed.delete(owed);
  }

  /** The instance traps, or is about to: from now on it is not entered any more. */
  crashed(message: string, cause?: unknown): void {
    if (this.crash !== undefined) return;
    this.crash = makeError("internal", {
      message: `${message}. The next \`new RefreshCoordinator\` gets a fresh core.`,
      fault: "host",
      spent: "maybe",
      cause,
    });
    const owed = [...this.#owed];
    this.#owed.clear();
    for (const release of owed) release(this.crash);
  }

  #hasCrashed(): boolean {
    return this.crash !== undefined;
  }

  /** The exports, with every function guarded. Memory and tables are passed on as they are. */
  #guarded(exports: WebAssembly.Exports): WebAssembly.Exports {
    const entries = Object.entries(exports).map(([name, value]) => [name, typeof value === "function" ? this.#guard(value) : value]);
    return Object.fromEntries(entries) as WebAssembly.Exports;
  }

  #guard(call: Function): (...args: unknown[]) => unknown {
    return (...args) => {
      if (this.crash !== undefined && this.#depth === 0) return NOTHING;
      this.#depth += 1;
      try {
        return call(...args) as unknown;
      } catch (error) {
        this.crashed("the core has trapped", error);
        // Wasm frames below must not go on; but what a timer or a microtask has called ends here.
        if (this.#depth > 1) throw error;
        return NOTHING;
      } finally {
        this.#depth -= 1;
      }
    };
  }
}
