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
import { join } from "node:path";

import { codeOf, unless } from "./file-failure.js";
import { makeFolder, ownerFor, type Place } from "./file-place.js";

/** Someone who has the turn and does nothing for this long is not waited for, in milliseconds. It takes a fraction of one. */
const STANDS_STILL = 500;

/** How often who waits for his turn looks, in milliseconds. */
const LOOK_EVERY = 5;

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
    const obtained = await obtain(temporary, turn, replacement.id);
    if (obtained !== "refused") return obtained === "made";
    const owner = await ownerOf(turn, replacement);
    if (owner !== undefined) await waitFor(owner, replacement);
    if ((await currentRevision(replacement)) !== revision) return false;
  }
}

/** Makes the turn, in one step and with its owner in it: one more name of his file, or, on disks that know no such thing, a folder. */
async function obtain(temporary: string, turn: string, id: string): Promise<Exclusive> {
  const linked = await link(temporary, turn);
  return linked === "unsupported" ? moveFolder(`${temporary}.d`, turn, id) : linked;
}

/** The temporary file of the owner; `undefined`: the turn is over. */
async function ownerOf(turn: string, { place, revisionIn }: Replacement): Promise<string | undefined> {
  const [name] = (await unless(["ENOENT", "ENOTDIR"], fs.readdir(turn))) ?? [];
  const owner = name ?? revisionIn(await unless(["ENOENT", "EISDIR"], fs.readFile(turn, "utf8")));
  return owner && temporaryOf(place, owner);
}

/** Until the owner has renamed or is gone. In the end it is seen to that he is. */
async function waitFor(owner: string, replacement: Replacement): Promise<void> {
  for (const end = performance.now() + STANDS_STILL; performance.now() < end; ) {
    if ((await unless(["ENOENT"], fs.stat(owner))) === undefined) return;
    if ((await currentRevision(replacement)) !== replacement.revision) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
  await remove(owner);
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
    const [, of, ending] = /^\.([0-9a-f]+)(?:\.\d+)?\.(tmp|tmp\.d|turn)$/.exec(name.slice(place.name.length)) ?? [];
    const file = join(place.folder, name);
    if (ending === "turn" && of !== revision) await remove(file);
    // Should its owner live, he begins anew.
    if (ending?.startsWith("tmp") && ((await unless(["ENOENT"], fs.stat(file)))?.mtimeMs ?? Infinity) < olderThan) await remove(file);
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

/** Gives a folder the name, with the owner in it: the system puts none in the place of one that is not empty. */
async function moveFolder(made: string, name: string, owner: string): Promise<Exclusive> {
  try {
    await fs.mkdir(made, { mode: 0o700 });
    await fs.writeFile(join(made, owner), "", { mode: 0o600 });
    await fs.rename(made, name);
    return "made";
  } catch (error) {
    await remove(made);
    // Windows says something else.
    const isThere = ["ENOTEMPTY", "EEXIST"].includes(codeOf(error)) || (await unless(["ENOENT"], fs.stat(name))) !== undefined;
    if (isThere) return "refused";
    throw error;
  }
}

async function remove(path: string): Promise<void> {
  await fs.rm(path, { recursive: true, force: true }).catch(() => {});
}

/** Stands in names for "no revision yet". */
const NONE = "0";

const temporaryOf = ({ file }: Place, id: string) => `${file}.${id}.tmp`;
const turnOf = ({ file }: Place, revision: string | undefined, count: number) => `${file}.${revision ?? NONE}.${count}.turn`;
