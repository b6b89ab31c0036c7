/**
 * Locks that the kernel holds for a process and lets go when it dies, whatever it dies of: one byte each of a file beside the store's.
 *
 * The kernel is asked again and again, and never to call back: a request that waits in the kernel cannot be withdrawn, and keeps the
 * process from ending.
 */

import { promises as fs } from "node:fs";

import type { Locks } from "../types.js";
import { codeOf, unless } from "./file-failure.js";
import { lockFileOf, makeFolder, ownerFor, placeOf } from "./file-place.js";
import { createLocks } from "./queue.js";

/** What is needed of the package `fs-native-extensions`, or of another one of that shape. */
export interface FileLocking {
  /**
   * Locks part of an open file for its descriptor, until that is closed; without a part, the whole file. Returns false if another
   * descriptor has it. Throws where files cannot be locked, and `EINVAL` where they can be locked as a whole only.
   */
  tryLock(fd: number, offset?: number, length?: number): boolean;
}

/** The pause between two attempts, in milliseconds: doubled each time, and never quite the same. */
const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 50;

/** How often a lock file is opened anew, because it is not the one of that name any more. */
const REOPENS = 20;

/** What the system says of a lock that somebody else holds. */
const HELD = ["EAGAIN", "EWOULDBLOCK", "EBUSY", "EACCES"];

type Options = Parameters<Locks["request"]>[1];
type Handle = Awaited<ReturnType<typeof fs.open>>;
/** Of an open file; `undefined`: the whole of it. */
type Byte = number | undefined;

/** The locks of a store in this file. `load` rejects where the kernel has none for it. */
export function fileLocks(path: string, load: (folder: string) => Promise<FileLocking>): Locks & { readonly scope: "host" } {
  /** Of those in this process who want the same lock, one asks the kernel. */
  const gate = createLocks();
  /** Where the kernel locks whole files, the whole is this process's for as long as anybody here has a lock. */
  let whole: { readonly handle: Handle; users: number } | undefined;
  let inBytes = true;

  const request: Locks["request"] = (name, options, callback) =>
    gate.request(name, options, async (granted) => {
      const release = granted === null ? undefined : await acquire(name, options);
      if (release === undefined) return callback(null);
      try {
        return await callback({ name });
      } finally {
        await release();
      }
    });

  async function acquire(name: string, options: Options): Promise<(() => Promise<void>) | undefined> {
    const { folder } = await placeOf(path);
    await makeFolder(folder);
    const { tryLock } = await load(folder);
    if (inBytes) {
      try {
        const handle = await lock(tryLock, "", offsetOf(name), options);
        return handle && (() => handle.close());
      } catch (error) {
        if (codeOf(error) !== "EINVAL") throw error;
        inBytes = false;
      }
    }
    return isProbe(name) ? probe(tryLock, options) : lockWhole(tryLock, options);
  }

  /** One who only wants to know whether there are locks here, by a name that nobody else has. */
  async function probe(tryLock: FileLocking["tryLock"], options: Options): Promise<(() => Promise<void>) | undefined> {
    const infix = `.${process.pid}`;
    const handle = await lock(tryLock, infix, undefined, options);
    await unless(["ENOENT", "EPERM", "EBUSY"], fs.unlink(lockFileOf(await placeOf(path), infix)));
    return handle && (() => handle.close());
  }

  async function lockWhole(tryLock: FileLocking["tryLock"], options: Options): Promise<(() => Promise<void>) | undefined> {
    let handle: Handle | undefined;
    do handle = await lock(tryLock, "", undefined, options, () => whole !== undefined);
    while (handle === undefined && whole === undefined && options.ifAvailable !== true);
    if (handle === undefined && whole === undefined) return undefined;
    const held = (whole ??= { handle: handle as Handle, users: 0 });
    held.users += 1;
    return async () => {
      held.users -= 1;
      if (held.users > 0) return;
      whole = undefined;
      await held.handle.close();
    };
  }

  /** Resolves with the open file that has the lock; with none if it is not to be waited for, or no longer needed. */
  async function lock(
    tryLock: FileLocking["tryLock"],
    infix: string,
    byte: Byte,
    { signal, ifAvailable }: Options,
    isNeedless = () => false,
  ): Promise<Handle | undefined> {
    for (let left = REOPENS; ; left -= 1) {
      const handle = await openLockFile(infix);
      try {
        for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
          signal?.throwIfAborted();
          const needless = isNeedless();
          if (!needless && isGranted(tryLock, handle.fd, byte)) break;
          if (needless || ifAvailable === true) return void (await handle.close());
          await rest(pause * (0.5 + Math.random() / 2), signal);
        }
        // Somebody has deleted the lock file: whoever comes now would lock another one of that name.
        if (await isStillThere(handle, infix)) return handle;
      } catch (error) {
        await handle.close();
        throw error;
      }
      await handle.close();
      if (left === 0) throw new Error(`the lock file of \`${path}\` is never the one that was locked`);
      await rest(LONGEST_PAUSE * (0.5 + Math.random() / 2), signal);
    }
  }

  async function openLockFile(infix: string): Promise<Handle> {
    const place = await placeOf(path);
    const file = lockFileOf(place, infix);
    const fresh = await unless(["EEXIST"], fs.open(file, "ax", 0o600));
    if (fresh === undefined) return fs.open(file, "a", 0o600);
    const owner = await ownerFor(place);
    await fresh.chmod(0o600).catch(() => {});
    if (owner !== undefined) await fresh.chown(owner.uid, owner.gid).catch(() => {});
    return fresh;
  }

  async function isStillThere(handle: Handle, infix: string): Promise<boolean> {
    // Windows has numbers of files that are too long for a number.
    const there = await unless(["ENOENT"], fs.stat(lockFileOf(await placeOf(path), infix), { bigint: true }));
    const ours = await handle.stat({ bigint: true });
    // There, some versions of Node say another disk of a name than of an open file.
    return there?.ino === ours.ino && (process.platform === "win32" || there.dev === ours.dev);
  }

  return { scope: "host", request };
}

function isGranted(tryLock: FileLocking["tryLock"], fd: number, byte: Byte): boolean {
  try {
    return byte === undefined ? tryLock(fd) : tryLock(fd, byte, 1);
  } catch (error) {
    if (HELD.includes(codeOf(error))) return false;
    throw error;
  }
}

/** The core asks so: a record's key has no slash in it. */
function isProbe(name: string): boolean {
  return name.includes("/");
}

/** The byte that stands for a name: one of 2^48, so that no two names that are in use at once share one (FNV-1a, twice). */
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
