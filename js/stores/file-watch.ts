/**
 * Hears that a file was replaced: by the events of its folder, since an event of the file itself speaks of what it was before the rename,
 * and by a look now and then, for where events are lost. Keeps no process alive.
 */

import { promises as fs, watch } from "node:fs";

import { unheld } from "../unheld.js";
import { unless } from "./file-failure.js";
import { placeOf } from "./file-place.js";
import { Hints } from "./hints.js";
import { keptUp } from "./kept-up.js";

/** How often it is looked at all the same, in milliseconds. */
const LOOK_EVERY = 500;

/** The `watch` of a store in this file. */
export function fileHints(path: string): Hints {
  return new Hints((ears) => keptUp((lost) => listen(path, () => ears.begun(), lost), () => ears.begun()));
}

async function listen(path: string, heard: () => void, lost: () => void): Promise<() => void> {
  const { folder, name, file } = await placeOf(path);
  const watcher = watch(folder, { persistent: false }, (_event, changed) => {
    if (changed === null || changed === name) heard();
  });
  let open = true;
  let timer: ReturnType<typeof setInterval> | undefined;
  const stop = () => {
    open = false;
    clearInterval(timer);
    watcher.close();
  };
  const fail = () => {
    if (!open) return;
    stop();
    lost();
  };
  // At once: that there is no such folder, Node throws, and Deno says here. Whom nobody hears ends the process.
  watcher.on("error", fail);
  let seen: Awaited<ReturnType<typeof marks>>;
  try {
    seen = await marks(folder, file);
  } catch (error) {
    stop();
    throw error;
  }
  const look = async () => {
    const [now, place] = await Promise.all([marks(folder, file), placeOf(path)]);
    if (!open) return;
    // Somebody has put another folder in its place, or pointed a link elsewhere.
    if (now.folder !== seen.folder || place.file !== file) return fail();
    if (now.file !== seen.file) heard();
    seen = now;
  };
  if (open) timer = unheld(setInterval(() => void look().catch(fail), LOOK_EVERY));
  return stop;
}

/** Tells one state of the file from another. */
async function marks(folder: string, file: string): Promise<{ folder: number | undefined; file: string }> {
  const [above, itself] = await Promise.all([folder, file].map((path) => unless(["ENOENT"], fs.stat(path))));
  return { folder: above?.ino, file: `${itself?.ino} ${itself?.mtimeMs} ${itself?.size}` };
}
