// One hash over files, folders and words: equal hashes mean that nothing needs doing again.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";

/** @param {string[]} paths files and folders; one that is missing counts as missing */
export function fingerprint(paths, ...words) {
  const hash = createHash("sha256");
  for (const path of paths) for (const file of filesOf(path)) hash.update(`${file}\0`).update(readFileSync(file)).update("\0");
  for (const word of words) hash.update(`${word}\0`);
  return hash.digest("hex");
}

/** The files in `path`, itself if it is one, in a stable order. */
function filesOf(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return [];
  if (!stats.isDirectory()) return [path];
  const names = readdirSync(path).sort();
  return names.flatMap((name) => filesOf(`${path}/${name}`));
}
