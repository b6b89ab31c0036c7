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
import { FileContent, revisionIn } from "./file-content.js";
import { unread, unwritten } from "./file-failure.js";
import { kernelLocking } from "./file-locking.js";
import { type FileLocking, fileLocks } from "./file-locks.js";
import { keepPrivate, type Place, placeOf } from "./file-place.js";
import { replace, sweep, textOf } from "./file-replacing.js";
import { fileHints } from "./file-watch.js";
import { checkLag } from "./lag.js";
import { createLocks } from "./queue.js";
import { freshVersion } from "./version.js";

export type { FileLocking };

type Conditions = Parameters<Store["write"]>[2];

/** What may be different from the default. */
export interface FileStoreOptions {
  /**
   * The kernel's locks: the module `fs-native-extensions`, or what has its shape. `false`: none, as for a folder on a network that is not
   * noticed as one. Default: that package, where it is installed. A program that is bundled into one file passes the module here.
   */
  lock?: FileLocking | false;
  /**
   * For how long a read may return the previous value, in milliseconds: for a folder on a network whose attributes are cached, as NFS
   * does for up to a minute. A refused refresh waits that long before it is believed: `callTimeout` should be longer. Default: 0.
   */
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

/** What the dead have left lies about for so long, in milliseconds, unless something is deleted. */
const SWEPT_AFTER = 60_000;

/** How often a process that lives on and writes looks for it, in milliseconds. */
const SWEPT_EVERY = 60_000;

/** How often a file is read that somebody may be writing just now who does not rename, and how long to wait, in milliseconds. */
const READS = 5;
const READ_PAUSE = 20;

/**
 * Makes a store in a file, for all processes of a machine that share it: any of them may die at any moment, and nobody has to sign in
 * again. For Node 18 or newer, Bun and Deno.
 *
 * **What is in the file.** JSON. Our records are in one member, `refresh-coordinator`, under hashed keys, several sessions if need be;
 * every other member stays to the letter, so the file may be one that you have. The tokens are in it in clear text, unless the option
 * `sealKey` is given. File and folder are the user's alone: a folder that is made has the mode 0700, the file 0600, whatever the umask is,
 * and a file with records that others may read is narrowed at the next look, but not by root, for another user. What root makes belongs to
 * the user whose folder it is in. A folder that is there keeps its mode. Symbolic links are followed, and
 * stay. Hard links and access control lists are lost with the first write, which puts another file in the place of the old one. On
 * Windows there are no modes: keep the file in the user's profile.
 *
 * **How it is written.** Whole, to a temporary file beside it, which is then renamed, so nobody ever reads a half, also after a power
 * failure. Writes are conditional without any lock: of those who want to replace the same state one has the turn, and who dies or stands
 * still in his turn is passed by after half a second, when his temporary file is deleted; while it cannot be, for 5 s, he is waited for,
 * and then the write rejects. What a killed process has left is cleared away after a minute, or with the next delete. Another program's write in the same millisecond may be lost; one that writes without
 * renaming is waited for.
 *
 * **Locks.** With `npm install fs-native-extensions` (its binaries are in the package: no compiler, no install script) the kernel holds a
 * lock on `<file>.lock` from claim to commit, and lets it go when the process dies, whatever it dies of: then others go on at once. The
 * file stays; do not delete it while the program runs. Where there is none, the intents in the file decide alone: nobody refreshes
 * twice either, but what a killed process has begun is waited for until its intent ends (`timeout` and half of it, 15 s), and `degraded`
 * says `locks`. Who only stands still, say by Ctrl-Z in the middle of a refresh, keeps a kernel's lock: others get the error `busy` until
 * he goes on or ends. Without these locks they go on when his intent ends, and if he has sent the token by then, a server that revokes a
 * session whose token comes twice may end it. There are no such locks in Bun and Deno, on Alpine Linux, where the package is not installed
 * or cannot be loaded, and in folders that other machines may have too (NFS, SMB, FUSE, shared folders of virtual machines), as far as Linux
 * or Windows says so; elsewhere, say a network drive on macOS or with a letter on Windows, pass `lock: false`. Containers that share a
 * volume share its locks if they share a kernel. All kinds may share a file. The folder must be one that its users can write to: a user who
 * cannot make the lock file goes without.
 *
 * **What can go wrong.** `read` and `write` reject with a `StoreError` that names the file: `store-format` (not JSON, or our member is
 * somebody else's) and `store-newer` (written by a newer version of this package), where the file is left as it is; `store-unreadable`, with
 * the event `degraded` (`store`); `store-read-only` and `store-full`, where the tokens that a refresh brought are kept in memory, handed
 * out and written as soon as that is possible (the event `store-failed`), nothing is presented that could not be claimed (see the option
 * `onStoreFailure`), and a sign-in rejects.
 *
 * Changes by others are heard by the events of the folder, and by a look every half second. Neither keeps a process alive.
 *
 * @param path of the file, or a `file:` URL. What is missing of it is made by the first write. `~` is not expanded.
 * @throws TypeError if the path or an option is wrong.
 * @example
 * ```ts
 * import { fileStore } from "refresh-coordinator/stores/file";
 * const store = fileStore(join(homedir(), ".config", "my-tool", "credentials.json"));
 * const auth = new RefreshCoordinator({ clientId: "cli", tokenEndpoint, store });
 * ```
 */
export function fileStore(path: string | URL, options: FileStoreOptions = {}): FileStore {
  const absolute = absolutePath(path);
  if (typeof options !== "object" || options === null) throw new TypeError("the options must be an object");
  const { lock, lag = 0 } = options;
  if (lock !== undefined && lock !== false && typeof lock?.tryLock !== "function") {
    throw new TypeError("`lock` must be false, or have a function `tryLock`");
  }
  checkLag(lag);
  const degradation = new Degradation();
  /** Those of this process write one after the other. */
  const queue = createLocks();
  const hints = fileHints(absolute);
  /** By the clock that is never set; so long ago that the first write sweeps. */
  let swept = -Infinity;

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
    if (value !== undefined && typeof value !== "string") throw new TypeError("`value` must be a string, or undefined");
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
      await clearAway(place, value === undefined);
      return id;
    }
  }

  async function look(): Promise<{ place: Place; text: string | undefined; content: FileContent }> {
    for (let left = READS; ; left -= 1) {
      const place = await placeOf(absolute);
      const text = await textOf(place);
      try {
        if (text?.trim() !== "" || left === 0) {
          const content = new FileContent(text, absolute);
          // A file that is not ours stays as it is.
          if (content.hasRecords) await keepPrivate(place);
          return { place, text, content };
        }
      } catch (error) {
        if (left === 0) throw error;
      }
      await new Promise((resume) => setTimeout(resume, READ_PAUSE));
    }
  }

  /** Who deletes means all of it, also what somebody has left who was killed just now. */
  async function clearAway(place: Place, wholly: boolean): Promise<void> {
    if (!wholly && performance.now() - swept < SWEPT_EVERY) return;
    swept = performance.now();
    const now = await fs.stat(place.file).catch(() => undefined);
    if (now !== undefined) await sweep(place, revisionIn, { olderThan: now.mtimeMs - SWEPT_AFTER, wholly }).catch(() => {});
  }

  const locks = lock === false ? undefined : fileLocks(absolute, lock === undefined ? kernelLocking : async () => lock);
  const store: FileStore & Degrading = {
    ...{ scope: "host", lag, read, write, watch: hints.watch, onDegraded: degradation.onDegraded },
    ...(locks && { locks }),
  };
  return store;
}

function absolutePath(path: string | URL): string {
  if (path instanceof URL) return fileURLToPath(path);
  if (typeof path !== "string" || path === "") throw new TypeError("`path` must be the path of a file, or its URL");
  return resolve(path);
}
