/**
 * One keyring, as far as a store needs it: texts by name, each written once and checked by reading it back.
 *
 * Must not know what the texts are for.
 */

import type { MaybePromise } from "../types.js";
import { processTurns } from "./keyring-turns.js";

/** One place of a keyring, in the shape of `AsyncEntry` and `Entry` of `@napi-rs/keyring`. */
export interface KeyringEntry {
  /** What is there; `null` or `undefined` if there is nothing. Throws if that cannot be said, say because the keyring is locked. */
  getPassword(): MaybePromise<string | null | undefined>;
  setPassword(password: string): MaybePromise<unknown>;
  deletePassword(): MaybePromise<unknown>;
}

/** Makes the place of a name. May throw where there is no keyring. */
export type MakeEntry = (service: string, account: string) => MaybePromise<KeyringEntry>;

/** Is asked for under a name that no bundler follows: it is optional, and it brings a native binary along. */
const PACKAGE = "@napi-rs/keyring";

/**
 * Of Linux's two, only the Secret Service outlasts a restart of the machine. The package would take the kernel's keyring where there is
 * none, and after the restart nobody could open what was sealed.
 */
const OPTIONS = { linux: { store: "secret-service" } };

interface KeyringPackage {
  readonly AsyncEntry: new (service: string, account: string, options: typeof OPTIONS) => KeyringEntry;
}

/** The keyring of the system: Keychain, Credential Manager, Secret Service. */
export const systemEntry: MakeEntry = async (service, account) => {
  const { AsyncEntry } = (await import(/* webpackIgnore: true */ /* @vite-ignore */ PACKAGE)) as KeyringPackage;
  return new AsyncEntry(service, account, OPTIONS);
};

export class KeyringEntries {
  readonly #make: MakeEntry;
  readonly #service: string;

  constructor(make: MakeEntry, service: string) {
    this.#make = make;
    this.#service = service;
  }

  /** `undefined` if there is nothing. Rejects if the keyring does not say. */
  async read(account: string): Promise<string | undefined> {
    return processTurns().ask(async () => {
      const text = await (await this.#make(this.#service, account)).getPassword();
      return typeof text === "string" ? text : undefined;
    });
  }

  /** Rejects unless the keyring says afterwards that it has exactly this. */
  async write(account: string, text: string): Promise<void> {
    await processTurns().ask(async () => {
      const entry = await this.#make(this.#service, account);
      await entry.setPassword(text);
      if ((await entry.getPassword()) !== text) throw new Error("the keyring does not return what was stored");
    });
  }

  /** What cannot be deleted opens nothing any more, and stays. */
  async remove(account: string): Promise<void> {
    try {
      await processTurns().ask(async () => (await this.#make(this.#service, account)).deletePassword());
    } catch {
      // Nobody waits for it.
    }
  }
}
