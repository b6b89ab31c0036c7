/**
 * The ports of this host, for those that were not plugged in.
 *
 * | host | store | locks | channel |
 * | --- | --- | --- | --- |
 * | page or worker | IndexedDB, else the page's memory | `navigator.locks` | `BroadcastChannel` |
 * | elsewhere | memory | those of the memory | none: nobody else has the session, and what is shared is watched |
 */

import type { Host } from "./core.js";
import { pageChannel } from "./page-channel.js";
import { pageLocks } from "./page-locks.js";
import { processMemory } from "./process-memory.js";
import { memoryStore } from "./stores/memory.js";
import { pageStore } from "./stores/page-store.js";
import type { Channel, Locks, Store } from "./types.js";

export interface StandardPorts {
  readonly stores: Host["stores"];
  readonly locks: Locks | undefined;
  /** Opened when it is called for. */
  readonly channel: () => Channel | undefined;
}

/** What goes with the store that was plugged in, if one was. */
export function standardPorts(store: Store | undefined): StandardPorts {
  if (store !== undefined) return portsFor(store);
  if (!inPage()) return memoryPorts();
  const page = pageStore();
  const ports = portsFor(page);
  return { ...ports, locks: ports.locks && page.fitting(ports.locks) };
}

/**
 * What of the ports is missing here, although the store is one that other tabs have too. There are hosts, say servers with
 * a store between them, that never have either.
 */
export function missing(store: Store, { locks, channel }: { locks: unknown; channel: unknown }): readonly ("locks" | "channel")[] {
  if (!inPage() || !isShared(store)) return [];
  return [...(locks === undefined ? (["locks"] as const) : []), ...(channel === undefined ? (["channel"] as const) : [])];
}

/** Is this a page or a worker? Also where IndexedDB is there in name only: then the store says so. */
export function inPage(): boolean {
  return "indexedDB" in globalThis;
}

function portsFor(store: Store): StandardPorts {
  return {
    stores: { session: store, successor: successorsOf(store) },
    locks: member(store, "locks") ?? (inPage() ? pageLocks() : undefined),
    // Nobody in another tab can change what lies in the memory of this one.
    channel: () => (inPage() && isShared(store) ? pageChannel() : undefined),
  };
}

function isShared(store: Store): boolean {
  return (member(store, "scope") ?? "context") !== "context";
}

/** A store that has room for a session only brings another one along for successor mode. */
function successorsOf(store: Store): Store {
  return member(store as Store & { successors?: Store }, "successors") ?? store;
}

/**
 * The session's record in a memory of its own, those of successor mode in that of the process.
 *
 * The locks must follow. Private ones would call themselves covering for records that the whole process shares, and each
 * coordinator would take the other's living intent for one whose owner is gone. Shared ones would make coordinators of
 * different users, whose sessions have the same key here, wait for each other.
 */
function memoryPorts(): StandardPorts {
  const own = memoryStore();
  const shared = processMemory();
  const ownKeys = new Set<string>();
  const read: Store["read"] = (key) => {
    ownKeys.add(key);
    return own.read(key);
  };
  return {
    // Nobody else can change it, so there is nothing to watch.
    stores: { session: { scope: "context", own: true, read, write: own.write }, successor: shared.store },
    locks: {
      scope: "context",
      // The core reads a record before it asks for its lock.
      request: (name, options, callback) => (ownKeys.has(name) ? own.locks : shared.locks).request(name, options, callback),
    },
    channel: () => undefined,
  };
}

/** A member of a store that somebody else has made. What is wrong with it, the core complains about. */
function member<S extends Store, Name extends keyof S>(store: S, name: Name): S[Name] | undefined {
  try {
    return store?.[name];
  } catch {
    return undefined;
  }
}
