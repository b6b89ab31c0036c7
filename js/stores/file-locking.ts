/** Which locks the kernel has for a folder: those of the package `fs-native-extensions`, on a disk of this machine. */

import { promises as fs } from "node:fs";

import type { FileLocking } from "./file-locks.js";

/** Is loaded under a name that no bundler follows: it need not be installed. */
const PACKAGE = "fs-native-extensions";

/**
 * What `statfs` says on Linux of folders that other machines may have too. Their locks may be local to this machine, or forgotten by the
 * server; and a lock that does not exclude everybody is worse than none.
 */
const NETWORKS: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0x517b, 0xff534d42, 0xfe534d42, // SMB
  0x01021997, // 9p
  0x65735546, // FUSE: sshfs, rclone
  0x786f4256, // shared folders of VirtualBox
  0x00c36400, // Ceph
  0x0bd00bd0, // Lustre
  0x5346414f, 0x6b414653, // AFS
  0x01161970, // GFS2
  0x7461636f, // OCFS2
  0x47504653, // GPFS
]);

/** Loads them. Rejects where there are none. */
export async function kernelLocking(folder: string): Promise<FileLocking> {
  await refuseNetworks(folder);
  const { Deno, Bun } = globalThis as { Deno?: unknown; Bun?: unknown };
  // Its calls into the part of libuv that they lack end the process.
  if (Deno !== undefined || Bun !== undefined) throw new Error(`${PACKAGE} is for Node`);
  const loaded = (await import(/* webpackIgnore: true */ /* @vite-ignore */ PACKAGE)) as { default?: FileLocking } & FileLocking;
  return typeof loaded.tryLock === "function" ? loaded : (loaded.default as FileLocking);
}

async function refuseNetworks(folder: string): Promise<void> {
  const { platform } = process;
  const isNetwork = platform === "win32" ? /^[\\/]{2}/.test(folder) : platform === "linux" && NETWORKS.has(await typeOf(folder));
  if (isNetwork) throw new Error(`\`${folder}\` is on a network: other machines may have it too`);
}

/** Node has it since 18.15. */
async function typeOf(folder: string): Promise<number> {
  const { statfs } = fs as Partial<typeof fs>;
  // 32 bits, which may have come with a sign.
  return statfs === undefined ? 0 : Number((await statfs(folder)).type) >>> 0;
}
