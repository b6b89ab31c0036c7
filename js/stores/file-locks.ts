/**
 * Locks that the kernel holds for a process and lets go when it dies, whatever it dies of: one byte each of a file beside the store's.
 *
 * The kernel is asked again and again, and never to call back: a request that waits in the kernel cannot be withdrawn, and keeps the
 * process from ending.
 */

import { type PathLike, promises as fs } from "node:fs";

import type { Locks } from "../types.js";
import { codeOf, unless } from "./file-failure.js";
import { lockFileOf, makeFolder, ownerFor, placeOf } from "./file-place.js";
import { createLocks } from "./queue.js";

/** What is needed of the package `fs-native-extensions`, or of another one of that shape. */
export interface FileLocking {
  /**
   * Locks part of an open file for its descriptor, and for nobody else, until that is closed. Without a part: the whole file.
   * Returns false if somebody else has it; throws where files cannot be locked.
   */
  tryLock(fd: number, offset?: number, length?: number): boolean;
}

/** The pause between two attempts, in milliseconds: doubled each time, and never quite the same. */
const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 50;

/** A lock file that somebody has deleted under our hands is made again so often. */
const TRIES = 10;

/** What the system says of a lock that somebody else holds. */
const HELD = ["EAGAIN", "EWOULDBLOCK", "EBUSY", "EACCES"];

/** The locks of a store in this file. `load` rejects where the kernel has none for it. */
export function fileLocks(path: string, load: (folder: string) => Promise<FileLocking>): Locks & { readonly scope: "host" } {
  /** Of those in this process who want the same lock, one asks the kernel. */
  const gate = createLocks();

  const request: Locks["request"] = (name, options, callback) =>
    gate.request(name, options, async (granted) => {
      if (granted === null) return callback(null);
      const handle = await acquire(name, options);
      if (handle === undefined) return callback(null);
      try {
        return await callback({ name });
      } finally {
        await handle.close();
      }
    });

  async function acquire(name: string, { signal, ifAvailable }: Parameters<Locks["request"]>[1]): Promise<Handle | undefined> {
    const { folder } = await placeOf(path);
    await makeFolder(folder);
    const { tryLock } = await load(folder);
    const offset = offsetOf(name);
    for (let left = TRIES; left > 0; left -= 1) {
      const handle = await openLockFile();
      try {
        for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
          signal?.throwIfAborted();
          if (isGranted(tryLock, handle.fd, offset)) break;
          if (ifAvailable === true) return void (await handle.close());
          await rest(pause * (0.5 + Math.random() / 2), signal);
        }
        if (await isStillThere(handle)) return handle;
      } catch (error) {
        await handle.close();
        throw error;
      }
      await handle.close();
    }
    throw new Error("somebody keeps deleting the lock file");
  }

  async function openLockFile(): Promise<Handle> {
    const place = await placeOf(path);
    const file = lockFileOf(place);
    const fresh = await unless(["EEXIST"], fs.open(file, "ax", 0o600));
    if (fresh === undefined) return fs.open(file, "a", 0o600);
    const owner = await ownerFor(place);
    await fresh.chmod(0o600).catch(() => {});
    if (owner !== undefined) await fresh.chown(owner.uid, owner.gid).catch(() => {});
    return fresh;
  }

  /** Or else whoever comes now locks another file of that name. */
  async function isStillThere(handle: Handle): Promise<boolean> {
    const there = await unless(["ENOENT"], fs.stat(lockFileOf(await placeOf(path)) as PathLike));
    const ours = await handle.stat();
    return there?.ino === ours.ino && there.dev === ours.dev;
  }

  return { scope: "host", request };
}

type Handle = Awaited<ReturnType<typeof fs.open>>;

function isGranted(tryLock: FileLocking["tryLock"], fd: number, offset: number): boolean {
  try {
    return tryLock(fd, offset, 1);
  } catch (error) {
    if (HELD.includes(codeOf(error))) return false;
    throw error;
  }
}

/** The byte that stands for a name: one of 2^48, so that no two names that are ever used at once share one (FNV-1a, twice). */
function offsetOf(name: string): number {
  const hash = (seed: number) => {
    let value = seed;
    for (const unit of name) value = Math.imul(value ^ (unit.codePointAt(0) as number), 0x01000193);
    return value >>> 0;
  };
  return (hash(0x811c9dc5) & 0xffff) * 2 ** 32 + hash(0x01234567);
}

function rest(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal?.addEventListener("abort", wake, { once: true });
  });
}
