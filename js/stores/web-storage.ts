/**
 * A store for apps whose other code reads tokens from `localStorage`: the record that decides lives in IndexedDB, and what
 * stands in localStorage is its mirror, in the app's own format.
 *
 * The mirror cannot decide, for localStorage is not coherent across tabs: also under a lock a tab may read what another one
 * has replaced long ago. Each change of the mirror is made within the transaction that writes the record, or that finds it
 * unchanged, so the changes come in the order of the records.
 */

import { StoreError } from "../errors.js";
import type { Store, StoredValue, TokenSet } from "../types.js";
import { Connection } from "./connection.js";
import { Degradation, type Degrading } from "./degradation.js";
import type { IndexedDbOptions } from "./indexed-db.js";
import { type ItemFormats, itemsFor, mirrored, withoutRefreshToken } from "./mirrored.js";
import { Records, SEALED_BY_CORE } from "./records.js";
import { StorageItems, type WebStorage } from "./storage-items.js";

type Conditions = Parameters<Store["write"]>[2];

/** What a {@link webStorageStore} keeps in localStorage, and where its record lives. One of `key` and `items` is required. */
export interface WebStorageOptions extends IndexedDbOptions {
  /**
   * The name of one item. It holds the {@link TokenSet} as JSON, without its refresh token: code that finds one presents it
   * sooner or later, and whatever else can read the page's storage needs no more than that to take the session along.
   */
  key?: string;
  /**
   * The app's own items: by the name of each the function that makes its text of the tokens; for what it returns `undefined`
   * there is no item. Called often, so it should do nothing else. What it makes of `refreshToken` is up to the app.
   */
  items?: Readonly<Record<string, (tokens: TokenSet) => string | undefined>>;
  /** Default: `localStorage`. */
  storage?: WebStorage;
}

/** A store in IndexedDB with a mirror in localStorage. */
export interface WebStorageStore extends Store, Degrading {
  readonly scope: "origin";
  /** Where the records of successor mode are kept: they are never mirrored. @internal */
  readonly successors: Store;
  read(key: string): Promise<StoredValue | undefined>;
  write(key: string, value: string | undefined, conditions: Conditions): Promise<string | undefined>;
}

/** A mirror that others have changed is put right at most this often, in milliseconds: they may insist. */
const PACE = 1_000;

/**
 * Makes a store in IndexedDB whose tokens other code of the app finds in `localStorage`. For one session: another one needs a
 * store, and items, of its own.
 *
 * It goes one way only. What others write into the items decides nothing, and is replaced by what the record says as soon as
 * a tab notices. Sign-out, and a session that the server has ended, removes the items. While there is no record, since nobody
 * has ever signed in, nothing is touched: an app that had its tokens there hands them to `setTokens` first.
 *
 * A localStorage that is full or blocked fails no call. Then there are no items rather than outdated ones, and the event
 * `degraded` says `mirror`. Workers have no localStorage: what one of them writes is mirrored when a tab next looks.
 *
 * `read` and `write` reject with a `StoreError` as those of `indexedDbStore` do, and with `store-sealed` for the option `sealKey`,
 * under which a store cannot see what it is to mirror. `sealed` goes together with a mirror: what is not in the items, the
 * refresh token to begin with, lies sealed.
 *
 * @throws TypeError if neither `key` nor `items` is given, or both, or one is of the wrong type.
 * @example
 * ```ts
 * import { webStorageStore } from "refresh-coordinator/stores/web";
 * const store = webStorageStore({ key: "session" });
 * // Or as the app has always stored them:
 * const own = webStorageStore({
 *   items: { access_token: ({ accessToken }) => accessToken, expires_at: ({ expiresAt }) => String(expiresAt / 1000) },
 * });
 * ```
 */
export function webStorageStore(options: WebStorageOptions): WebStorageStore {
  const formats = formatsOf(options);
  const degradation = new Degradation();
  const items = new StorageItems(options.storage, degradation);
  const records = new Records(new Connection(options.database), options.sealed);
  let session: string | undefined;
  let corrected = -Infinity;

  /** Takes the key for that of the session. */
  function belongs(key: string): void {
    if (session === undefined) {
      session = key;
      // Some hosts have no storage, and no events of it.
      if (items.storage !== undefined) globalThis.addEventListener?.("storage", heard);
    }
    if (key !== session) throw new TypeError("one mirror shows one session: another one needs a `webStorageStore` of its own");
  }

  async function read(key: string): Promise<StoredValue | undefined> {
    belongs(key);
    const found = await records.read(key);
    const wanted = found && mirrored(formats, found.value);
    if (found !== undefined && wanted !== undefined && !items.shows(wanted)) {
      // Nobody waits for the mirror. Should this fail, the next look tries again.
      records.whileAt(key, found.version, () => items.update(wanted)).catch(() => {});
    }
    return found;
  }

  async function write(key: string, value: string | undefined, conditions: Conditions): Promise<string | undefined> {
    belongs(key);
    if (value?.startsWith(SEALED_BY_CORE) === true) {
      const message = "a value that is sealed cannot be mirrored: leave the option `sealKey` out";
      throw new StoreError(message, { code: "store-sealed" });
    }
    const wanted = value === undefined ? itemsFor(formats, undefined) : mirrored(formats, value);
    return records.write(key, value, conditions, wanted && (() => items.update(wanted)));
  }

  /** Another tab has changed the storage: perhaps late, with what had been replaced meanwhile. */
  function heard({ storageArea, key }: StorageEvent): void {
    if (storageArea !== items.storage || (key !== null && !Object.hasOwn(formats, key))) return;
    const now = performance.now();
    if (session === undefined || now - corrected < PACE) return;
    corrected = now;
    read(session).catch(() => {});
  }

  return {
    scope: "origin",
    successors: {
      scope: "origin",
      read: (key) => records.read(key),
      write: (key, value, conditions) => records.write(key, value, conditions),
    } satisfies Store,
    read,
    write,
    onDegraded: degradation.onDegraded,
  };
}

function formatsOf({ key, items, storage }: WebStorageOptions): ItemFormats {
  if ((key === undefined) === (items === undefined)) throw new TypeError("one of `key` and `items` must be given");
  if (storage === null) throw new TypeError("`storage` must be a Storage: leave it out for localStorage");
  for (const method of ["getItem", "setItem", "removeItem"] as const) {
    if (storage !== undefined && typeof storage[method] !== "function") {
      throw new TypeError(`\`storage\` must be a Storage: it has no function \`${method}\``);
    }
  }
  if (key !== undefined) {
    if (typeof key !== "string" || key === "") throw new TypeError("`key` must be the name of an item, a string");
    return { [key]: withoutRefreshToken };
  }
  if (typeof items !== "object" || items === null) throw new TypeError("`items` must be an object of functions");
  for (const [name, format] of Object.entries(items)) {
    if (typeof format !== "function") throw new TypeError(`\`items.${name}\` must be a function`);
  }
  if (Object.keys(items).length === 0) throw new TypeError("`items` must name at least one item");
  return { ...items };
}
