/**
 * Where a file really is, and what lies beside it.
 *
 * A rename puts a file in the place of a symbolic link, not of what the link means. So links are followed first, also to a file that is
 * not there yet; and whoever comes by another link finds the same lock.
 */

import { promises as fs } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";

import { codeOf, unless } from "./file-failure.js";

export interface Place {
  readonly folder: string;
  /** The name in the folder. */
  readonly name: string;
  /** Both. */
  readonly file: string;
}

/** As many as the system itself follows. */
const LINKS = 40;

/** Follows the links of a path that is absolute. */
export async function placeOf(path: string): Promise<Place> {
  let at = path;
  for (let left = LINKS; ; left -= 1) {
    const folder = (await unless(["ENOENT"], fs.realpath(dirname(at)))) ?? dirname(at);
    const name = basename(at);
    const file = join(folder, name);
    const target = left === 0 ? undefined : await unless(["ENOENT", "EINVAL", "ENOTDIR", "UNKNOWN"], fs.readlink(file));
    if (target === undefined) return { folder, name, file };
    at = isAbsolute(target) ? target : join(folder, target);
  }
}

/** Whoever holds a lock on this file may refresh. It is never deleted: who waits for it would wait for another file than who comes. */
export function lockFileOf({ file }: Place, infix = ""): string {
  return `${file}${infix}.lock`;
}

/** Makes the folder, and those above it, for the user alone: if root makes it, for the user it is in. One that is there stays as it is. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await fs.mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === "EEXIST") return;
    if (codeOf(error) !== "ENOENT" || dirname(folder) === folder) throw error;
    await makeFolder(dirname(folder));
    return makeFolder(folder);
  }
  // The process's umask may have taken more than it should.
  await fs.chmod(folder, 0o700);
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await fs.stat(dirname(folder));
  // Of a link, should somebody have put one there, and never of what it means.
  await fs.lchown(folder, uid, gid).catch(() => {});
}

/** A file's owner is kept, or who has run a tool as root once could no longer read what is his. */
export async function ownerFor({ file, folder }: Place): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  return (await unless(["ENOENT"], fs.stat(file))) ?? fs.stat(folder);
}

/** Who has let others read the file, by `chmod` or from a backup, did not mean the tokens. What root finds of others stays as it is. */
export async function keepPrivate({ file }: Place): Promise<void> {
  if (process.platform === "win32") return;
  const stats = await fs.stat(file).catch(() => undefined);
  if (stats?.uid === process.getuid?.() && stats !== undefined && (stats.mode & 0o077) !== 0) await fs.chmod(file, 0o600).catch(() => {});
}
