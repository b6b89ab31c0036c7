/**
 * Replaces a file on the condition that nobody else has replaced it since it was read, without any lock.
 *
 * Everybody writes a temporary file of his own, then asks for the *turn* to replace what is there: a file, made in one step that
 * succeeds for one, whose name has the revision that is to be replaced in it. Who has the turn looks once more, and renames.
 *
 * Whoever has the turn may be dead, or may stand still. Nobody can tell, and nobody has to: who has waited long enough deletes the
 * *temporary file* of the one before him, and asks for the next turn at the same revision. A rename needs its source, so the one before
 * cannot rename any more, however late he wakes; and there is one next turn, so of all who waited one goes on. A turn is deleted only
 * when its revision is past, and no revision ever comes back. So no clock has to be trusted: who was thought dead too early begins anew.
 *
 * Must not know what is in the file, but for where its revision is.
 */

import { promises as fs } from "node:fs";

import { codeOf, unless } from "./file-failure.js";
import { makeFolder, ownerFor, type Place } from "./file-place.js";

/** Someone who has the turn and does nothing for this long is not waited for, in milliseconds. It takes a fraction of one. */
const STANDS_STILL = 500;

/** How often who waits for his turn looks, in milliseconds. */
const LOOK_EVERY = 10;

/** FAT tells the time of a file to so many milliseconds. */
const COARSEST = 2_000;

/** What is to be done. */
export interface Replacement {
  readonly place: Place;
  /** The text that is to be replaced; `undefined`: there is no file. */
  readonly before: string | undefined;
  /** Its revision; `undefined`: it has none. */
  readonly revision: string | undefined;
  readonly text: string;
  /** The revision of the new text. */
  readonly id: string;
  /** The revision of a text; `undefined` if it has none, or cannot be read. */
  readonly revisionIn: (text: string | undefined) => string | undefined;
}

/** The file's text; `undefined` if there is none. */
export async function textOf({ file }: Place): Promise<string | undefined> {
  return unless(["ENOENT"], fs.readFile(file, "utf8"));
}

/** Resolves with whether it was replaced. If not, there is another text now, or will be: the caller reads it again. */
export async function replace(replacement: Replacement): Promise<boolean> {
  const { place, before, id } = replacement;
  await makeFolder(place.folder);
  const temporary = temporaryOf(place, id);
  const turns: string[] = [];
  try {
    await writeDown(temporary, replacement);
    const replaced = before === undefined ? await create(temporary, place, replacement, turns) : await overwrite(temporary, replacement, turns);
    if (replaced) await settleOnDisk(place.folder);
    return replaced;
  } finally {
    await remove(temporary);
    // While the revision may be the same as before, its turns are needed: they say who can no longer have it.
    const revision = turns.length === 0 ? undefined : await currentRevision(replacement).catch(() => undefined);
    if (revision !== undefined && revision !== replacement.revision) await Promise.all(turns.map(remove));
  }
}

/** The file is not there: whoever can give his own that name is the first. */
async function create(temporary: string, place: Place, replacement: Replacement, turns: string[]): Promise<boolean> {
  const linked = await link(temporary, place.file);
  return linked === "unsupported" ? overwrite(temporary, replacement, turns) : linked === "made";
}

async function overwrite(temporary: string, replacement: Replacement, turns: string[]): Promise<boolean> {
  const { place, before } = replacement;
  if (!(await takeTurn(temporary, replacement, turns))) return false;
  if ((await textOf(place)) !== before) return false;
  return rename(temporary, place.file);
}

/** Waits for the turn. False: there is another revision, or somebody has not waited for us. */
async function takeTurn(temporary: string, replacement: Replacement, turns: string[]): Promise<boolean> {
  const { place, revision } = replacement;
  for (let count = 0; ; count += 1) {
    const turn = turnOf(place, revision, count);
    turns.push(turn);
    const obtained = await obtain(temporary, turn);
    if (obtained !== "refused") return obtained === "made";
    await waitFor(await ownerOf(turn, temporary, replacement), replacement);
    if ((await currentRevision(replacement)) !== revision) return false;
  }
}

/** Makes the turn's file: in one step, with the name of its owner in it where the disk has hard links; elsewhere without. */
async function obtain(temporary: string, turn: string): Promise<Exclusive> {
  const linked = await link(temporary, turn);
  if (linked !== "unsupported") return linked;
  const handle = await unless(["EEXIST"], fs.open(turn, "wx", 0o600));
  await handle?.close();
  return handle === undefined ? "refused" : "made";
}

/** The temporary files of which one is the owner's. */
async function ownerOf(turn: string, own: string, { place, revisionIn }: Replacement): Promise<readonly string[]> {
  const text = await unless(["ENOENT"], fs.readFile(turn, "utf8"));
  if (text === undefined) return [];
  const owner = revisionIn(text);
  if (owner !== undefined) return [temporaryOf(place, owner)];
  // It was there before the turn, as exactly as the coarsest of disks tells the time.
  const { mtimeMs } = await fs.stat(turn);
  const others = (await temporariesIn(place)).filter((file) => file !== own);
  const ages = await Promise.all(others.map((file) => unless(["ENOENT"], fs.stat(file))));
  return others.filter((_, index) => (ages[index]?.mtimeMs ?? Infinity) <= mtimeMs + COARSEST);
}

/** Until the owner has renamed or is gone. In the end it is seen to that he is. */
async function waitFor(owner: readonly string[], replacement: Replacement): Promise<void> {
  for (const end = performance.now() + STANDS_STILL; performance.now() < end; ) {
    const there = await Promise.all(owner.map((file) => unless(["ENOENT"], fs.stat(file))));
    if (there.every((stats) => stats === undefined)) return;
    if ((await currentRevision(replacement)) !== replacement.revision) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
  await Promise.all(owner.map(remove));
}

async function currentRevision({ place, revisionIn }: Replacement): Promise<string | undefined> {
  return revisionIn(await textOf(place));
}

/** Clears away what the dead have left: turns of revisions that are past, and temporary files that nobody renames any more. */
export async function sweep(place: Place, revisionIn: Replacement["revisionIn"], olderThan: number): Promise<void> {
  const left = (await fs.readdir(place.folder)).filter((name) => name.startsWith(`${place.name}.`));
  const revision = revisionIn(await textOf(place));
  if (revision === undefined) return;
  for (const name of left) {
    const [, of, ending] = /^\.([0-9a-f]+)(?:\.\d+)?\.(tmp|turn)$/.exec(name.slice(place.name.length)) ?? [];
    const file = `${place.folder}/${name}`;
    if (ending === "turn" && of !== revision) await remove(file);
    // Should its owner live, he begins anew.
    if (ending === "tmp" && ((await unless(["ENOENT"], fs.stat(file)))?.mtimeMs ?? Infinity) < olderThan) await remove(file);
  }
}

/** The whole text, on the disk, for the user alone. */
async function writeDown(temporary: string, { place, text }: Replacement): Promise<void> {
  const owner = await ownerFor(place);
  const handle = await fs.open(temporary, "wx", 0o600);
  try {
    // The process's umask may have taken more than it should.
    await handle.chmod(0o600);
    if (owner !== undefined) await handle.chown(owner.uid, owner.gid).catch(() => {});
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A rename is on the disk when its folder is. */
async function settleOnDisk(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await fs.open(folder, "r");
  try {
    // Some disks know no such thing.
    await unless(["EINVAL", "ENOTSUP", "EISDIR", "EBADF"], handle.sync());
  } finally {
    await handle.close();
  }
}

/** How often a rename is tried that Windows refuses because somebody, say a virus scanner, has the file open. */
const TRIES = 20;

/** False: the temporary file is gone, for somebody has not waited for us. */
async function rename(from: string, to: string): Promise<boolean> {
  for (let left = TRIES; ; left -= 1) {
    try {
      await fs.rename(from, to);
      return true;
    } catch (error) {
      const code = codeOf(error);
      if (code === "ENOENT") return false;
      if (process.platform !== "win32" || left === 0 || !["EPERM", "EACCES", "EBUSY"].includes(code)) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    }
  }
}

/** How it ended to make something that one can make only: `refused`, for it is there; `gone`, what it was to be made of is not there. */
type Exclusive = "made" | "refused" | "gone";

/** Gives a file one more name. */
async function link(file: string, name: string): Promise<Exclusive | "unsupported"> {
  try {
    await fs.link(file, name);
    return "made";
  } catch (error) {
    const code = codeOf(error);
    return code === "EEXIST" ? "refused" : code === "ENOENT" ? "gone" : "unsupported";
  }
}

async function remove(file: string): Promise<void> {
  await fs.unlink(file).catch(() => {});
}

async function temporariesIn(place: Place): Promise<string[]> {
  const names = await fs.readdir(place.folder);
  return names.filter((name) => name.startsWith(`${place.name}.`) && name.endsWith(".tmp")).map((name) => `${place.folder}/${name}`);
}

/** Stands in names for "no revision yet". */
const NONE = "0";

const temporaryOf = ({ file }: Place, id: string) => `${file}.${id}.tmp`;
const turnOf = ({ file }: Place, revision: string | undefined, count: number) => `${file}.${revision ?? NONE}.${count}.turn`;
