/**
 * A store in a credential file that only the system's keyring can open: its values are sealed with keys that the keyring holds.
 *
 * A keyring compares nothing, locks nothing, and cannot change together with a file. So it is written once for a sign-in, and never
 * for a refresh: version, intent and tokens are one value, and the file's conditional write decides alone. What may be torn apart,
 * by a process that is killed between the two:
 *
 * | the keyring | the file | what is there | what follows |
 * | --- | --- | --- | --- |
 * | has a new key | has no value that needs it | what was there before the sign-in | it opens nothing; the next sign-in makes its own |
 * | has a new key | has the value | the sign-in | |
 * | has the key of a value that was replaced | has the newer value | the newer value | it opens nothing |
 * | has lost the key, is locked or away | has the value | a value that nobody can read | a `StoreError`, nothing is sent, and nothing replaces it but a sign-in |
 *
 * A refresh changes the file only, which has no state between before and after. Must not know what the values mean.
 */

import { StoreError } from "../errors.js";
import { open, seal } from "../seal.js";
import type { MaybePromise, Store, StoredValue } from "../types.js";
import { Degradation, type Degrading, listenTo } from "./degradation.js";
import { KeyringEntries, type KeyringEntry, systemEntry } from "./keyring-entries.js";
import { type KeyringKey, KeyringKeys } from "./keyring-keys.js";
import { SEALED_BY_CORE } from "./records.js";

type Conditions = Parameters<Store["write"]>[2];

/** Where a {@link keyringStore} keeps what. */
export interface KeyringStoreOptions {
  /** The name of the app in the keyring. */
  service: string;
  /** The beginning of its accounts there; the id of a key follows. Default: `refresh-coordinator`. */
  account?: string;
  /** The file beside the keyring: a store of its own, say `fileStore(path)`, with its locks. */
  file: Store;
  /** Another keyring: makes the entry of a name. Default: `AsyncEntry` of `@napi-rs/keyring`, in Linux that of the Secret Service. */
  entry?: (service: string, account: string) => MaybePromise<KeyringEntry>;
  /**
   * May tokens lie in the file as they are where the keyring does not take a key? With `false` such a write rejects with a `StoreError`
   * (`store-sealed`), `setTokens` and a refresh with it, and nothing is sent. Default: `true`.
   */
  fallback?: boolean;
}

/** A store that the keyring opens. */
export interface KeyringStore extends Store, Degrading {
  /** Where the records of successor mode are kept: they are sealed with the token that was presented. @internal */
  readonly successors: Store;
  read(key: string): Promise<StoredValue | undefined>;
  write(key: string, value: string | undefined, conditions: Conditions): Promise<string | undefined>;
}

/** Begins every value that is sealed here; then come the id of its key, a dot, and what the sealing made of it. */
const HEADER = "keyring1.";

/** Separates what is sealed here from all else that could be sealed under such a key. */
const DOMAIN = "refresh-coordinator/keyring/1/";

/** How often a value that does not open is read again, because another one may be there, with another key. */
const LOOKS = 3;

/**
 * Makes a store of a file and the system's keyring (macOS Keychain, Windows Credential Manager, Secret Service). Each session is
 * sealed (AES-GCM) with a random key of its own that lies in the keyring; the file has the rest, and no token that anybody could
 * read without the keyring. Each process asks the keyring for the key of a session until it has it, and keeps it; the keyring is written
 * once for each sign-in, so its limit for the size of an entry (Windows: 2,560 bytes) does not matter, and no refresh waits for it.
 *
 * All stores of a process ask the keyring one thing at a time, and nothing more until it has answered: there is one prompt, which
 * holds one thread of Node's pool. Nobody can withdraw it: while the user has not answered, a process does not end by itself, nor by
 * `process.exit()`, which waits for that thread; a signal ends it. A worker thread asks for itself. Who says no to the prompt is asked
 * again by the next read, and for 60 s by no write.
 *
 * Needs the package `@napi-rs/keyring`, an optional peer dependency, or the option `entry`.
 *
 * Where there is no keyring, say on a Linux machine without a desktop, and where it refuses the key, or asks the user for longer than
 * 3 s, the tokens lie in the file as those of `fileStore` do, and the event `degraded` says `keyring`. The next write after the
 * keyring is there seals them, or one a minute later. What a `fileStore` has written before is taken over in the same way. `fallback: false`
 * forbids it: then a sign-in needs the keyring, and so does the first refresh of what is not sealed.
 *
 * A keyring that fails later, or is locked and has asked the user for 3 s, costs no session. A process that has used the session goes on,
 * for it knows the key; this also if the user has deleted it from the keyring, and what it writes then, no later process opens. Another
 * one rejects with a `StoreError` (`store-sealed`) and sends nothing until the keyring is back. `setTokens`, a new sign-in, works at any
 * time, unless `fallback` is `false`.
 *
 * `file` decides about everything else: scope, locks, watch, and its errors. With `sealKey` the keyring is not needed, and not used.
 *
 * @throws TypeError naming the option that is wrong.
 * @example
 * ```ts
 * import { fileStore } from "refresh-coordinator/stores/file";
 * import { keyringStore } from "refresh-coordinator/stores/keyring";
 * const store = keyringStore({ service: "my-cli", file: fileStore(path) });
 * ```
 */
export function keyringStore(options: KeyringStoreOptions): KeyringStore {
  const { service, account, file, entry, fallback } = checked(options);
  const degradation = new Degradation();
  const keys = new KeyringKeys(new KeyringEntries(entry, service), account, degradation);

  async function read(key: string): Promise<StoredValue | undefined> {
    for (let left = LOOKS; ; left -= 1) {
      const found = await file.read(key);
      const by = sealedBy(found);
      if (found === undefined || by === undefined) return found;
      const { value, version } = found;
      try {
        return { value: await opened(await keys.get(by), key, value), version };
      } catch (cause) {
        // Whoever has signed in meanwhile has taken the key away.
        if (left > 1 && (await file.read(key))?.version !== version) continue;
        throw unopened(version, cause);
      }
    }
  }

  async function write(key: string, value: string | undefined, conditions: Conditions): Promise<string | undefined> {
    const { ifVersion } = conditions;
    if (typeof ifVersion !== "string" && ifVersion !== null) throw new TypeError("`ifVersion` must be a version, or null");
    const found = await file.read(key);
    // No key is made for what cannot be written.
    if ((found?.version ?? null) !== ifVersion) return undefined;
    const before = sealedBy(found);
    const isPlain = value !== undefined && !value.startsWith(SEALED_BY_CORE);
    const by = isPlain ? await keyFor(key, before) : undefined;
    if (isPlain && by === undefined && !fallback) throw unsealed();
    const version = await file.write(key, by === undefined ? value : await sealed(by, key, value as string), conditions);
    if (version === undefined) return undefined;
    if (by !== undefined) keys.settled(key, by.id);
    // Not before the file has what replaces it.
    if (before !== undefined && before !== by?.id) keys.forget(before);
    return version;
  }

  /** The key that the record has, or a new one. */
  async function keyFor(record: string, before: string | undefined): Promise<KeyringKey | undefined> {
    const known = before === undefined ? undefined : await keys.again(before);
    return known ?? keys.fresh(record);
  }

  const { scope, lag, locks } = file;
  return {
    ...(scope !== undefined && { scope }),
    ...(lag !== undefined && { lag }),
    ...(locks !== undefined && { locks }),
    successors: file,
    read,
    write,
    ...(file.watch !== undefined && { watch: (key: string, listener: () => void) => file.watch!(key, listener) }),
    onDegraded(listener) {
      const stops = [degradation.onDegraded(listener), listenTo(file, listener)];
      return () => stops.forEach((stop) => stop());
    },
  };
}

/** The id of the key that a value is sealed with, if it is. */
function sealedBy(found: StoredValue | undefined): string | undefined {
  if (found === undefined || !found.value.startsWith(HEADER)) return undefined;
  return found.value.slice(HEADER.length).split(".", 1)[0];
}

async function sealed({ id, text }: KeyringKey, record: string, value: string): Promise<string> {
  return `${HEADER}${id}.${await seal(text, DOMAIN + record, value)}`;
}

function opened({ id, text }: KeyringKey, record: string, value: string): Promise<string> {
  return open(text, DOMAIN + record, value.slice(HEADER.length + id.length + 1));
}

/** The version lets a sign-in replace what nobody can read, as conditionally as anything else. */
function unopened(version: string, cause: unknown): StoreError {
  const message = "the keyring does not open what is in the file: it is locked or away, or the key is gone; who signs in replaces it";
  return Object.assign(new StoreError(message, { code: "store-sealed", cause }), { version });
}

function unsealed(): StoreError {
  const message = "the keyring does not take a key: there is none, or it is locked; nothing was written, because `fallback` is false";
  return new StoreError(message, { code: "store-sealed" });
}

function checked(options: KeyringStoreOptions): Required<KeyringStoreOptions> {
  const { service, account = "refresh-coordinator", file, entry = systemEntry, fallback = true } = Object(options) as KeyringStoreOptions;
  for (const [name, text] of Object.entries({ service, account })) {
    if (typeof text !== "string" || text === "") throw new TypeError(`\`${name}\` must be a string that is not empty`);
  }
  if (typeof file?.read !== "function" || typeof file.write !== "function") {
    throw new TypeError("`file` must be a store, say `fileStore(path)`");
  }
  if (typeof entry !== "function") throw new TypeError("`entry` must be a function");
  if (typeof fallback !== "boolean") throw new TypeError("`fallback` must be true or false");
  return { service, account, file, entry, fallback };
}
