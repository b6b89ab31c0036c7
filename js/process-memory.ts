/**
 * The memory of successor mode that all coordinators of a process share, also those of other copies of the package:
 * whoever still carries a spent token finds its successor here. Sessions are never kept in it.
 */

import type { Locks, Store } from "./types.js";
import { memoryStore } from "./stores/memory.js";

/** What is shared: the ports are stable interfaces, so any copy can use those that another one made. */
export interface ProcessMemory {
  readonly store: Store;
  readonly locks: Locks;
}

const SLOT = Symbol.for("refresh-coordinator");
/** The version of what lies in it: of this interface, and of the records. Copies with another one have a memory of their own. */
const VERSION = "1";

let own: ProcessMemory | undefined;

/** The memory of this process; where the global object cannot be written to, that of this copy of the package. */
export function processMemory(): ProcessMemory {
  const shared: unknown = property(slot(), VERSION);
  return isMemory(shared) ? shared : (own ??= create());
}

/** The place in the global object, with our version in it. */
function slot(): object | undefined {
  try {
    if (!Object.hasOwn(globalThis, SLOT)) {
      Object.defineProperty(globalThis, SLOT, { value: Object.create(null) as object, configurable: true });
    }
    const place = Reflect.get(globalThis, SLOT) as object;
    if (!Object.hasOwn(place, VERSION)) Object.defineProperty(place, VERSION, { value: create(), enumerable: true });
    return place;
  } catch {
    return undefined;
  }
}

function create(): ProcessMemory {
  const store = memoryStore();
  return { store, locks: store.locks };
}

function isMemory(value: unknown): value is ProcessMemory {
  const has = (port: string, method: string) => typeof property(property(value, port), method) === "function";
  return has("store", "read") && has("store", "write") && has("locks", "request");
}

function property(of: unknown, name: PropertyKey): unknown {
  return typeof of === "object" && of !== null ? Reflect.get(of, name) : undefined;
}
