/** The host, as the core sees it: what the user plugged in, and the platform's own for the rest. */

import { hostClock } from "./clock.js";
import type { Held, Host } from "./core.js";
import { makeError, readError } from "./errors.js";
import type { Instance } from "./instance.js";
import { pageLocation } from "./page-location.js";
import { open, seal } from "./seal.js";
import { standardPorts } from "./standard-ports.js";
import type { Channel, Clock, Locks, Store, TokenSet } from "./types.js";
import { randomBytes } from "./web-crypto.js";

/** What the core tells this half. */
export interface Embedding {
  emit(event: object): void;
  presented: Host["presented"];
  hold(held: Held): void;
  doubt(): void;
  drop(): void;
  leave(): void;
  belongs(tokens: TokenSet, sid: string): void;
  crashed(message: string): void;
}

/** What was plugged in, with the platform's own in the place of what was not. The core checks the shapes. */
export function hostOf(options: object, instance: Instance, embedding: Embedding): Host {
  const given = ownMembers(options);
  const store = given["store"] as Store | undefined;
  const standard = standardPorts(store);
  const fetch = given["fetch"];
  return {
    stores: standard.stores,
    locks: releasedByCrash((given["locks"] as Locks | undefined) ?? standard.locks, instance),
    channel: given["channel"] === undefined ? standard.channel() : (given["channel"] as Channel),
    clock: (given["clock"] as Clock | undefined) ?? hostClock,
    location: pageLocation(),
    fetch: (input, init) =>
      typeof fetch === "function"
        ? (fetch as (input: unknown, init: unknown) => unknown)(input, init)
        : hostFetch(input as string, init as RequestInit),
    random: randomBytes,
    seal,
    open,
    error: makeError,
    brand: readError,
    ...embedding,
  };
}

function hostFetch(input: string, init: RequestInit): Promise<Response> {
  if (typeof globalThis.fetch === "function") return globalThis.fetch(input, init);
  // The code tells the core that nothing was sent.
  throw Object.assign(new Error("this host has no fetch: give one by the option `fetch`"), { code: "ERR_NO_FETCH" });
}

/** The user's options by own properties only; what cannot be read is left to the core to complain about. */
export function ownMembers(options: unknown): Record<string, unknown> {
  const members: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  if (typeof options !== "object" || options === null) return members;
  try {
    for (const name of Object.keys(options)) members[name] = (options as Record<string, unknown>)[name];
  } catch {
    return members;
  }
  return members;
}

/** Locks that are let go when the instance crashes: the callback of a dead instance would hold them for ever. */
function releasedByCrash(locks: Locks | undefined, instance: Instance): Locks | undefined {
  if (typeof locks !== "object" || locks === null) return locks;
  const request: Locks["request"] = (name, options, callback) =>
    locks.request(name, options, (lock) => instance.keep(Promise.resolve(callback(lock))));
  return { ...(locks.scope !== undefined && { scope: locks.scope }), request };
}
