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

import { StoreError } from "../errors.js";
import { codeOf, unless } from "./file-failure.js";
import { makeFolder, ownerFor, type Place } from "./file-place.js";
import { VERSION_LENGTH } from "./version.js";

/** Someone who has the turn and does nothing for this long is not waited for, in milliseconds. It takes a fraction of one. */
const STANDS_STILL = 500;

/** Someone who has the turn, and whose temporary file cannot be deleted, ends the wait with an error after this long, in milliseconds. */
const GIVES_UP = 5_000;

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
  /** The revision of a text, whatever its layout is; `undefined` if it has none. */
  readonly revisionIn: (text: string | undefined) => string | undefined;
}

/** The file's text; `undefined` if there is none. */
export async function textOf({ file }: Place): Promise<string | undefined> {
  return unless(["ENOENT"], persistently(() => fs.readFile(file, "utf8")));
}

/** Resolves with whether it was replaced. If not, there is another text now, or will be: the caller reads it again. */
export async function replace(replacement: Replacement): Promise<boolean> {
  const { place, id } = replacement;
  await makeFolder(place.folder);
  const temporary = temporaryOf(place, id);
  const turns: string[] = [];
  try {
    await writeDown(temporary, replacement);
    const replaced = (await takeTurn(temporary, replacement, turns)) && (await putThere(temporary, replacement));
    if (replaced) await settleOnDisk(place.folder);
    return replaced;
  } finally {
    await remove(temporary);
    // While the revision may be the same as before, its turns are needed: they say who can no longer have it.
    const revision = turns.length === 0 ? undefined : await currentRevision(replacement).catch(() => undefined);
    if (revision !== undefined && revision !== replacement.revision) await Promise.all(turns.map(remove));
  }
}

/** Who has the turn. Also where there is no file, for of those who create it not all may be able to do so by a link. */
async function putThere(temporary: string, replacement: Replacement): Promise<boolean> {
  const { place, before, id } = replacement;
  // A link puts nothing in the place of a file that another program has made meanwhile.
  const linked = before === undefined ? await link(temporary, place.file) : "unsupported";
  if (linked !== "unsupported") return linked === "made" || (await currentRevision(replacement)) === id;
  if ((await textOf(place)) !== before) return false;
  const renamed = await unless(["ENOENT"], persistently(() => fs.rename(temporary, place.file).then(() => true)));
  // Our file is not there: somebody has not waited for us, or a network has asked its server twice, and lost the first reply.
  return renamed ?? (await currentRevision(replacement)) === id;
}

/** Waits for the turn. False: there is another revision, or somebody has not waited for us. */
async function takeTurn(temporary: string, replacement: Replacement, turns: string[]): Promise<boolean> {
  const { place, revision } = replacement;
  for (let count = 0; ; count += 1) {
    const turn = turnOf(place, revision, count);
    turns.push(turn);
    const obtained = await obtain(temporary, turn, replacement.id);
    if (obtained !== "refused") return obtained === "made";
    await waitFor(turn, replacement);
    if ((await currentRevision(replacement)) !== revision) return false;
  }
}

/** Makes the turn, in one step and with its owner in it: one more name of his file, or, on disks that know no such thing, a folder. */
async function obtain(temporary: string, turn: string, id: string): Promise<Exclusive> {
  const linked = await link(temporary, turn);
  return linked === "unsupported" ? moveFolder(`${temporary}.d`, turn, id) : linked;
}

/** The id of who has the turn; `undefined`: there is no such turn any more; "": it does not say. */
async function ownerOf(turn: string, revisionIn: Replacement["revisionIn"]): Promise<string | undefined> {
  const there = await unless(["ENOENT"], fs.stat(turn));
  if (there === undefined) return undefined;
  if (there.isDirectory()) return (await unless(["ENOENT"], fs.readdir(turn)))?.[0] ?? "";
  return revisionIn(await unless(["ENOENT"], fs.readFile(turn, "utf8"))) ?? "";
}

/** Until who has the turn has renamed or is gone. In the end it is seen to that he is: until his file is away, nobody passes him by. */
async function waitFor(turn: string, replacement: Replacement): Promise<void> {
  const { place, revision, revisionIn } = replacement;
  const begun = performance.now();
  for (let owner: string | undefined = ""; ; ) {
    owner ||= await ownerOf(turn, revisionIn);
    if (owner === undefined || (owner !== "" && !(await isThere(temporaryOf(place, owner))))) return;
    if ((await currentRevision(replacement)) !== revision) return;
    const waited = performance.now() - begun;
    if (owner !== "" && waited > STANDS_STILL) {
      await remove(temporaryOf(place, owner));
      if (!(await isThere(temporaryOf(place, owner)))) return;
    }
    if (waited > GIVES_UP) throw inTheWay(turn);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}

function inTheWay(turn: string): StoreError {
  const message = `\`${turn}\` is in the way: who made it does not go on, and cannot be stopped. Once he has ended it may be deleted`;
  return new StoreError(message, { code: "store-threw" });
}

async function isThere(file: string): Promise<boolean> {
  return (await unless(["ENOENT"], fs.stat(file))) !== undefined;
}

async function currentRevision({ place, revisionIn }: Replacement): Promise<string | undefined> {
  return revisionIn(await textOf(place));
}

/**
 * Clears away what the dead have left: turns of revisions that are past, and temporary files that are old, or, `wholly`, all. Should the
 * owner of one live, he begins anew: he has been overtaken anyway, or only just begun.
 */
export async function sweep(
  place: Place,
  revisionIn: Replacement["revisionIn"],
  { olderThan, wholly }: { readonly olderThan: number; readonly wholly: boolean },
): Promise<void> {
  const left = (await fs.readdir(place.folder)).filter((name) => name.startsWith(`${place.name}.`));
  const revision = revisionIn(await textOf(place));
  if (revision === undefined) return;
  for (const name of left) {
    const { of, temporary } = OURS.exec(name.slice(place.name.length))?.groups ?? {};
    const file = join(place.folder, name);
    const isOld = async () => ((await unless(["ENOENT"], fs.stat(file)))?.mtimeMs ?? Infinity) < olderThan;
    // A folder has no tokens in it, and must not become a turn while it is emptied.
    const isOver = of !== undefined ? of !== revision : temporary !== undefined && ((wholly && temporary === "tmp") || (await isOld()));
    if (isOver) await remove(file);
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

/** How often is tried what Windows refuses because somebody, say a virus scanner or who renames, has the file open. */
const TRIES = 20;

async function persistently<T>(work: () => Promise<T>): Promise<T> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      if (process.platform !== "win32" || left === 0 || !["EPERM", "EACCES", "EBUSY"].includes(codeOf(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    }
  }
}

/** How it ended to make something that one can make only: `refused`, for it is there; `gone`, what it was to be made of is not there. */
type Exclusive = "made" | "refused" | "gone";

/** What the system says of links on a disk, or in a sandbox, that has none. On Windows FAT says `EISDIR`, or what libuv does not know. */
const NO_LINKS = ["EPERM", "EACCES", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EMLINK", "EXDEV", "EINVAL", "EISDIR", "UNKNOWN"];

/** Gives a file one more name. */
async function link(file: string, name: string): Promise<Exclusive | "unsupported"> {
  try {
    await fs.link(file, name);
    return "made";
  } catch (error) {
    const code = codeOf(error);
    if (code === "EEXIST") return "refused";
    if (code === "ENOENT") return "gone";
    if (NO_LINKS.includes(code)) return "unsupported";
    throw error;
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
    if (codeOf(error) === "ENOENT") return "gone";
    // Windows says something else.
    if (["ENOTEMPTY", "EEXIST"].includes(codeOf(error)) || (await isThere(name))) return "refused";
    throw error;
  }
}

async function remove(path: string): Promise<void> {
  await fs.rm(path, { recursive: true, force: true }).catch(() => {});
}

/** Stands in names for "no revision yet". */
const NONE = "0";

/** What follows the name of the file in those of ours that lie beside it: revision or id, and what it is. Others have such names too. */
const ID = `[0-9a-f]{${VERSION_LENGTH}}`;
const OURS = new RegExp(`^\\.(?:(?<of>${NONE}|${ID})\\.\\d+\\.turn|${ID}\\.(?<temporary>tmp|tmp\\.d))$`);

const temporaryOf = ({ file }: Place, id: string) => `${file}.${id}.tmp`;
const turnOf = ({ file }: Place, revision: string | undefined, count: number) => `${file}.${revision ?? NONE}.${count}.turn`;
