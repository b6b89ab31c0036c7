/**
 * A store in a file: for all processes of a machine that share it, say the runs of a command-line tool.
 *
 * Must not know what the values mean.
 */

import { promises as fs } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

import type { Locks, Store, StoredValue } from "../types.js";
import { Degradation, type Degrading } from "./degradation.js";
import { FileContent } from "./file-content.js";
import { unread, unwritten } from "./file-failure.js";
import { kernelLocking } from "./file-locking.js";
import { type FileLocking, fileLocks } from "./file-locks.js";
import { keepPrivate, type Place, placeOf } from "./file-place.js";
import { replace, sweep, textOf } from "./file-replacing.js";
import { fileHints } from "./file-watch.js";
import { createLocks } from "./queue.js";
import { freshVersion } from "./version.js";

export type { FileLocking };

type Conditions = Parameters<Store["write"]>[2];

/** What may be different from the default. */
export interface FileStoreOptions {
  /**
   * The kernel's locks: those of the package `fs-native-extensions` if it is installed, or what has its shape; `false`: none, the
   * intents in the file alone decide. Default: that package.
   */
  lock?: FileLocking | false;
  /** For how long a read may return the previous value, in milliseconds: for a folder on a network. Default: 0. */
  lag?: number;
}

/** A store in a file. */
export interface FileStore extends Store {
  readonly scope: "host";
  readonly lag: number;
  /** Absent with `lock: false`. */
  readonly locks?: Locks;
  read(key: string): Promise<StoredValue | undefined>;
  write(key: string, value: string | undefined, conditions: Conditions): Promise<string | undefined>;
  watch(key: string, listener: () => void): () => void;
}

/** What the dead have left lies about for so long, in milliseconds. */
const SWEPT_AFTER = 60_000;

/** How often a file is read that somebody may be writing just now who does not rename, and how long to wait, in milliseconds. */
const READS = 5;
const READ_PAUSE = 20;

export function fileStore(path: string | URL, { lock, lag = 0 }: FileStoreOptions = {}): FileStore & Degrading {
  const absolute = absolutePath(path);
  if (lock !== undefined && lock !== false && typeof lock?.tryLock !== "function") {
    throw new TypeError("`lock` must be false, or have a function `tryLock`");
  }
  if (!(typeof lag === "number" && lag >= 0 && lag < Infinity)) throw new TypeError("`lag` must be a number of milliseconds");
  const degradation = new Degradation();
  /** Those of this process write one after the other. */
  const queue = createLocks();
  const hints = fileHints(absolute);
  let swept = false;

  async function read(key: string): Promise<StoredValue | undefined> {
    try {
      const { content } = await look();
      degradation.over("store");
      return content.find(key, Date.now());
    } catch (error) {
      degradation.begins("store");
      throw unread(absolute, error);
    }
  }

  async function write(key: string, value: string | undefined, { ifVersion, ttl }: Conditions): Promise<string | undefined> {
    if (typeof ifVersion !== "string" && ifVersion !== null) throw new TypeError("`ifVersion` must be a version, or null");
    const life = ttl === undefined ? undefined : { endsAt: Date.now() + ttl };
    try {
      return (await queue.request("", {}, () => attempt(key, value, ifVersion, life))) as string | undefined;
    } catch (error) {
      throw unwritten(absolute, error);
    }
  }

  async function attempt(key: string, value: string | undefined, ifVersion: string | null, life: { endsAt: number } | undefined) {
    for (;;) {
      const { place, text: before, content } = await look();
      const row = content.find(key, Date.now());
      if ((row?.version ?? null) !== ifVersion) return undefined;
      const id = await freshVersion();
      // There is nothing to delete.
      if (value === undefined && row === undefined) return id;
      const text = content.with(key, value === undefined ? undefined : { value, version: id, ...life }, id, Date.now());
      if (!(await replace({ place, before, revision: content.revision, text, id, revisionIn }))) continue;
      await clearAway(place);
      return id;
    }
  }

  async function look(): Promise<{ place: Place; text: string | undefined; content: FileContent }> {
    for (let left = READS; ; left -= 1) {
      const place = await placeOf(absolute);
      const [text] = await Promise.all([textOf(place), keepPrivate(place)]);
      try {
        if (text?.trim() !== "" || left === 0) return { place, text, content: new FileContent(text, absolute) };
      } catch (error) {
        if (left === 0) throw error;
      }
      await new Promise((resume) => setTimeout(resume, READ_PAUSE));
    }
  }

  /** Once is enough: a process that lives on leaves nothing behind. */
  async function clearAway(place: Place): Promise<void> {
    if (swept) return;
    swept = true;
    const now = await fs.stat(place.file).catch(() => undefined);
    if (now !== undefined) await sweep(place, revisionIn, now.mtimeMs - SWEPT_AFTER).catch(() => {});
  }

  function revisionIn(text: string | undefined): string | undefined {
    try {
      return new FileContent(text, absolute).revision;
    } catch {
      return undefined;
    }
  }

  const locks = lock === false ? undefined : fileLocks(absolute, lock === undefined ? kernelLocking : async () => lock);
  return { scope: "host", lag, ...(locks && { locks }), read, write, watch: hints.watch, onDegraded: degradation.onDegraded };
}

function absolutePath(path: string | URL): string {
  if (path instanceof URL) return fileURLToPath(path);
  if (typeof path !== "string" || path === "") throw new TypeError("`path` must be the path of a file, or its URL");
  return resolve(path);
}
