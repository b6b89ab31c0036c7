// The operating system's process behind a tab. Which one it is, browsers do not say: it is the one that works while the tab does.

import { readdirSync, readFileSync } from "node:fs";

/** One works by so much more than any other if it is the one. */
const FACTOR = 3;
/** Less work than this, in milliseconds, says nothing. */
const LEAST = 20;
const ATTEMPTS = 20;

/**
 * The id of the process that does `work`.
 *
 * @param processes the milliseconds each one has worked so far, by id
 */
export async function busiest(processes, work) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await processes();
    await work();
    const worked = [...(await processes())].map(([id, time]) => ({ id, time: time - (before.get(id) ?? 0) }));
    const [first, second] = worked.sort((one, other) => other.time - one.time);
    if (first.time >= LEAST && first.time >= FACTOR * (second?.time ?? 0)) return first.id;
  }
  throw new Error("no process stood out while the tab was working");
}

/** What descends from a process, without itself: the milliseconds that the first thread of each has worked. Linux only. */
export function descendants(root) {
  const parents = new Map();
  for (const name of readdirSync("/proc")) {
    const id = Number(name);
    // The parent's id comes second after the name, which is in parentheses and may hold anything.
    const parent = Number.isInteger(id) && read(`/proc/${id}/stat`)?.split(") ").at(-1).split(" ")[1];
    if (parent) parents.set(id, Number(parent));
  }
  const descends = (id) => parents.has(id) && (parents.get(id) === root || descends(parents.get(id)));
  const found = new Map();
  for (const id of parents.keys()) {
    const nanoseconds = descends(id) ? read(`/proc/${id}/schedstat`)?.split(" ")[0] : undefined;
    if (nanoseconds !== undefined) found.set(id, Number(nanoseconds) / 1e6);
  }
  return found;
}

/** A process may end while it is looked at. */
function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
