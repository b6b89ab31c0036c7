/**
 * A store made of an app's own storage: a keyring entry, a file, a slice of some state. The app keeps its format, and whoever
 * reads that format goes on reading it.
 *
 * Such a storage has no compare-and-set. So calls into it are made one after the other, each write looks first whether anybody else
 * has changed what is there, and all that is no token (intent, cool-down, versions) stays in memory. Must not know what the record
 * means beyond `app-tokens.ts`.
 */

import { StoreError } from "../errors.js";
import type { Locks, MaybePromise, Store, StoredValue, TokenSet } from "../types.js";
import { changed, checked, decode, holds, tokensOf, type SessionRecord, type StoredTokens } from "./app-tokens.js";
import { checkLag } from "./lag.js";
import { memoryStore } from "./memory.js";

type Conditions = Parameters<Store["write"]>[2];

/** An app's own storage of one session. */
export interface AppStorage {
  /** The tokens that are stored, or `undefined`. A throw means that they cannot be read now, and they are kept. */
  load(): MaybePromise<StoredTokens | TokenSet | undefined | null>;
  /** Stores these in the place of what is there; settles once they are durable. `expiresAt` is 0 without an access token. */
  save(tokens: TokenSet): MaybePromise<unknown>;
  /** Deletes what is there: the user has signed out, or the server has ended the session. */
  clear(): MaybePromise<unknown>;
  /** For how long after its refresh somebody else may still be storing the tokens, in milliseconds. Default: 0. */
  lag?: number;
}

/** A store made of an app's own storage. */
export interface AppStore extends Store {
  readonly scope: "context";
  readonly lag: number;
  readonly locks: Locks;
  /** Where the records of successor mode are kept: there is no room for them in an app's format. @internal */
  readonly successors: Store;
  read(key: string): Promise<StoredValue | undefined>;
  write(key: string, value: string | undefined, conditions: Conditions): Promise<string | undefined>;
}

/** A record as it was last seen or written, and the tokens that the storage holds for it. */
interface Held {
  readonly record: SessionRecord;
  readonly value: string;
  readonly tokens: TokenSet | undefined;
  readonly version: string;
}

/**
 * Makes a store of the functions an app has already: `load`, `save` and `clear`, synchronous or not. For one session of one
 * coordinator, or of several that share the object.
 *
 * What others write into the storage is noticed at the next look, and taken for a refresh of the same session, unless the id
 * tokens name different users. A sign-in belongs into `setTokens`.
 *
 * Safe within one process. Several processes need a lock between them (the option `locks`), and a crash between the server's
 * rotation and `save` is not told from a revocation, for no intent is stored: where that matters, use a store with compare-and-set.
 * The option `sealKey` cannot be used. `save` is checked by a `load` after it: a storage that returns something else rejects with a
 * `StoreError` (`store-not-read-back`), and callers have their tokens all the same.
 *
 * @throws TypeError if one of the functions is missing, or `lag` is no duration.
 * @example
 * ```ts
 * import { appStore } from "refresh-coordinator/stores/app";
 * const store = appStore({
 *   load: async () => parse(await keyring.get("session")),
 *   save: (tokens) => keyring.set("session", format(tokens)),
 *   clear: () => keyring.delete("session"),
 * });
 * ```
 */
export function appStore(storage: AppStorage): AppStore {
  for (const name of ["load", "save", "clear"] as const) {
    if (typeof storage?.[name] !== "function") throw new TypeError(`\`${name}\` must be a function`);
  }
  const { lag = 0 } = storage;
  checkLag(lag);
  const successors = memoryStore();
  let session: string | undefined;
  let held: Held | undefined;
  /** A write whose outcome is unknown. */
  let attempted: Held | undefined;
  let versions = 0;
  let last: Promise<unknown> = Promise.resolve();

  /** One after the other: nothing happens between a look and the write that rests on it. */
  function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    session ??= key;
    if (key !== session) {
      return Promise.reject(new TypeError("one storage holds one session: another one needs an `appStore` of its own"));
    }
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  }

  /** What there is now: what was last there, or what somebody else has made of it. */
  async function look(): Promise<Held | undefined> {
    const stored = checked(await storage.load());
    // A write that seemed to fail may have been done all the same.
    if (attempted !== undefined && holds(stored, attempted.tokens) && !holds(stored, held?.tokens)) {
      held = attempted;
      attempted = undefined;
    }
    if (!holds(stored, held?.tokens)) held = take(changed(held?.record, stored, randomId(), Date.now()));
    return held;
  }

  function take(record: SessionRecord, value = JSON.stringify(record)): Held {
    return { record, value, tokens: tokensOf(record), version: String((versions += 1)) };
  }

  async function read(): Promise<StoredValue | undefined> {
    const there = await look();
    return there && { value: there.value, version: there.version };
  }

  async function write(value: string | undefined, ifVersion: string | null): Promise<string | undefined> {
    if (typeof ifVersion !== "string" && ifVersion !== null) throw new TypeError("`ifVersion` must be a version, or null");
    const there = await look();
    if ((there?.version ?? null) !== ifVersion) return undefined;
    const next = value === undefined ? undefined : take(decode(value), value);
    if (!holds(there?.tokens, next?.tokens)) {
      attempted = next;
      await (next?.tokens === undefined ? storage.clear() : storage.save(next.tokens));
      if (!holds(checked(await storage.load()), next?.tokens)) {
        throw new StoreError("`load` does not return what was saved", { code: "store-not-read-back" });
      }
      attempted = undefined;
    }
    held = next;
    return next?.version ?? String((versions += 1));
  }

  return {
    scope: "context",
    lag,
    locks: successors.locks,
    successors,
    read: (key) => inTurn(key, read),
    write: (key, value, { ifVersion }) => inTurn(key, () => write(value, ifVersion)),
  };
}

function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
