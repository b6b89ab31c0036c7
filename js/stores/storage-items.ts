/**
 * Items in a `localStorage`, made to show what they should. Never throws: what cannot be shown is told.
 *
 * Must not know what the texts mean.
 */

import type { Degradation } from "./degradation.js";
import type { Mirrored } from "./mirrored.js";

/** What is used of a `Storage`. */
export type WebStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export class StorageItems {
  readonly #given: WebStorage | undefined;
  readonly #degradation: Degradation;
  /** What we have written last. What others write may be hidden from this tab for a while. */
  #written: Mirrored["texts"] = new Map();

  constructor(given: WebStorage | undefined, degradation: Degradation) {
    this.#given = given;
    this.#degradation = degradation;
  }

  /** The storage. `undefined`: there is none, as in a worker, or it may not be used. */
  get storage(): WebStorage | undefined {
    try {
      const storage = this.#given ?? (globalThis.localStorage as Storage | null | undefined);
      // Workers have none, and nobody in them misses it.
      if (storage !== null) return storage;
    } catch {
      // The user has blocked it.
    }
    this.#degradation.begins("mirror");
    return undefined;
  }

  /** Do they show this already, as far as this tab can see? */
  shows({ texts }: Mirrored): boolean {
    const { storage } = this;
    return storage === undefined || [...texts].every(([name, text]) => read(storage, name) === text);
  }

  /** Makes them show this: all of it, or else nothing. */
  update({ texts, wrong }: Mirrored): void {
    const { storage } = this;
    if (storage === undefined) return;
    // A second attempt has the space of what stood there.
    const done = this.#put(storage, texts) || (remove(storage, texts.keys()), this.#put(storage, texts));
    if (!done) remove(storage, texts.keys());
    this.#written = done ? texts : new Map();
    if (done && wrong === undefined) this.#degradation.over("mirror");
    else this.#degradation.begins("mirror");
  }

  #put(storage: WebStorage, texts: Mirrored["texts"]): boolean {
    try {
      for (const [name, text] of texts) {
        if (text === undefined) storage.removeItem(name);
        else if (this.#written.get(name) !== text || storage.getItem(name) !== text) storage.setItem(name, text);
      }
      return true;
    } catch {
      return false;
    }
  }
}

function read(storage: WebStorage, name: string): string | undefined {
  try {
    return storage.getItem(name) ?? undefined;
  } catch {
    return undefined;
  }
}

function remove(storage: WebStorage, names: Iterable<string>): void {
  for (const name of names) {
    try {
      storage.removeItem(name);
    } catch {
      // What cannot be removed was not written by us.
    }
  }
}
