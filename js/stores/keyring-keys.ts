/**
 * The keys in the keyring that the values of a file are sealed with. Each has an entry of its own, drawn at random, which is never
 * written a second time: nobody can put another key in the place of one that a value in the file still needs.
 *
 * Must not know of the file, nor of what is sealed.
 */

import { webCrypto } from "../web-crypto.js";
import type { Degradation } from "./degradation.js";
import type { KeyringEntries } from "./keyring-entries.js";
import { notYet, PATIENCE } from "./keyring-turns.js";
import { freshVersion } from "./version.js";

/** A key: the id of its entry, and its text. */
export interface KeyringKey {
  readonly id: string;
  readonly text: string;
}

/** 256 bits. */
const KEY_BYTES = 32;

/**
 * After a keyring has failed, no write asks it for anything sooner than this, in milliseconds: it may ask the user each time. A read
 * cannot do without, and asks.
 */
const PAUSE = 60_000;

export class KeyringKeys {
  readonly #entries: KeyringEntries;
  readonly #account: string;
  readonly #degradation: Degradation;
  /** Those that are known, and those that are being asked for: a keyring that asks the user does it once. */
  readonly #known = new Map<string, Promise<KeyringKey>>();
  /** What was made for a record and is not known to be in the file. */
  readonly #made = new Map<string, Promise<KeyringKey>>();
  /** Those that were waited for long enough. */
  readonly #late = new WeakSet<Promise<KeyringKey>>();
  #notBefore = -Infinity;

  constructor(entries: KeyringEntries, account: string, degradation: Degradation) {
    this.#entries = entries;
    this.#account = account;
    this.#degradation = degradation;
  }

  /** The key of an id. Rejects if the keyring does not have it, is not to be had, or does not answer soon enough. */
  get(id: string): Promise<KeyringKey> {
    return this.#soon(this.#known.get(id) ?? this.#ask(id));
  }

  #ask(id: string): Promise<KeyringKey> {
    const said = this.#entries.read(this.#nameOf(id));
    const asked = said.then((text) => {
      if (text === undefined) throw new Error("the keyring has no such entry");
      return { id, text };
    });
    this.#known.set(id, asked);
    asked.then(
      () => this.#works(),
      () => {
        // The next one asks again.
        this.#known.delete(id);
        this.#degradation.begins("keyring");
      },
    );
    // One that has lost a key takes another.
    said.catch(() => this.#failed());
    return asked;
  }

  /** The key of a value that is replaced, or `undefined` if it cannot be had, or not without asking too soon. */
  async again(id: string): Promise<KeyringKey | undefined> {
    if (!this.#known.has(id) && this.#pauses()) return undefined;
    return this.get(id).catch(() => undefined);
  }

  /** A new key for a record, or `undefined` if the keyring does not take one, or not soon enough. */
  async fresh(record: string): Promise<KeyringKey | undefined> {
    const made = this.#made.get(record);
    if (made === undefined && this.#pauses()) return undefined;
    try {
      return await this.#soon(made ?? this.#make(record));
    } catch {
      return undefined;
    }
  }

  /** The record was written with this key. What else was made for it is in no write that could still succeed. */
  settled(record: string, id: string): void {
    const made = this.#made.get(record);
    this.#made.delete(record);
    made?.then((key) => key.id !== id && this.forget(key.id), () => {});
  }

  /** No value is sealed with it any more, nor will any be. To remove it is not worth a prompt: it opens nothing, and stays. */
  forget(id: string): void {
    this.#known.delete(id);
    if (this.#pauses()) return;
    void this.#entries.remove(this.#nameOf(id));
  }

  #make(record: string): Promise<KeyringKey> {
    const made = this.#stored();
    this.#made.set(record, made);
    made.then(
      ({ id }) => {
        this.#known.set(id, made);
        this.#works();
      },
      () => {
        if (this.#made.get(record) === made) this.#made.delete(record);
        this.#failed();
      },
    );
    return made;
  }

  async #stored(): Promise<KeyringKey> {
    const id = await freshVersion();
    const text = hex((await webCrypto()).getRandomValues(new Uint8Array(KEY_BYTES)));
    await this.#entries.write(this.#nameOf(id), text);
    return { id, text };
  }

  /** Once in so long a time: a refresh claims before it presents, and the write of what it has got must not wait again. */
  async #soon(key: Promise<KeyringKey>): Promise<KeyringKey> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const over = new Promise<never>((_, reject) => {
      const late = () => {
        this.#late.add(key);
        this.#failed();
        reject(notYet());
      };
      timer = setTimeout(late, this.#late.has(key) ? 0 : PATIENCE);
    });
    try {
      return await Promise.race([key, over]);
    } finally {
      clearTimeout(timer);
    }
  }

  #pauses(): boolean {
    return performance.now() < this.#notBefore;
  }

  #works(): void {
    this.#notBefore = -Infinity;
    this.#degradation.over("keyring");
  }

  #failed(): void {
    this.#notBefore = performance.now() + PAUSE;
    this.#degradation.begins("keyring");
  }

  #nameOf(id: string): string {
    return `${this.#account} ${id}`;
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
