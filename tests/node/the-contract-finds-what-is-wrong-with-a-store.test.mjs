// Stores with one flaw each: the sentence of the contract that it breaks must say so.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { memoryStore } from "refresh-coordinator";
import { storeContract } from "refresh-coordinator/testing";

const turn = () => new Promise(setImmediate);

/** Opens a good store but for the members that are made of it. */
const flawed = (make) => () => {
  const good = memoryStore();
  const store = { ...good, ...make(good) };
  return () => store;
};

const keyed = (change) => flawed(({ read, write, watch }) => ({
  read: (key) => read(change(key)),
  write: (key, value, conditions) => write(change(key), value, conditions),
  watch: (key, listener) => watch(change(key), listener),
}));

/** Opens a store of a naive kind: a map, and versions as `next` makes them. */
const naive = (next, { atomic = true } = {}) => () => {
  const rows = new Map();
  const store = {
    read: async (key) => rows.get(key),
    async write(key, value, { ifVersion, ttl }) {
      if (ifVersion === undefined) throw new TypeError("a version is needed");
      const row = rows.get(key);
      if ((row?.version ?? null) !== ifVersion) return undefined;
      if (!atomic) await turn();
      const version = next(row, value);
      if (value === undefined) rows.delete(key);
      else rows.set(key, { value, version });
      if (ttl !== undefined) setTimeout(() => rows.get(key)?.version === version && rows.delete(key), Math.min(ttl, 2 ** 30)).unref();
      return version;
    },
  };
  return () => store;
};

let count = 0;

/** What is wrong, how such a store is made, and a sentence that it breaks. */
const FLAWS = [
  ["versions count per key", naive((row) => String(Number(row?.version ?? 0) + 1)), "no version is used twice for a key, not even after a delete"],
  ["versions count per key, and an expiry forgets them", naive((row) => String(Number(row?.version ?? 0) + 1)), "no version comes back after an expiry"],
  ["it looks, then writes", naive(() => String((count += 1)), { atomic: false }), "of many writers with one version, one wins"],
  ["it looks, then writes or deletes", naive(() => String((count += 1)), { atomic: false }), "of a write and a delete with one version, one wins"],
  ["it looks, then counts", naive(() => String((count += 1)), { atomic: false }), "those who count together count right"],
  ["keys without regard to case", keyed((key) => key.toLowerCase()), "keys are apart"],
  ["keys without blanks at the end", keyed((key) => key.trimEnd()), "keys are apart"],
  ["keys that are cut", keyed((key) => key.slice(0, 255)), "keys are apart"],
  ["times to live that no write ends", flawed(endlessly), "a time to live ends with the next write"],
  ["times to live of more than 24 days are none", flawed(shortLived), "what has not expired is there"],
  ["writes without a condition", flawed(unconditional), "there is no unconditional write"],
  ["a conflict is an error", flawed(throwing), "a conflict writes nothing, and deletes nothing"],
  ["a delete needs no version", flawed(deletingAnyway), "a conflict writes nothing, and deletes nothing"],
  ["values are parsed", flawed(parsing), "a value comes back as it was"],
  ["reads are one write behind", flawed(behind), "what one has written, all others read at once"],
  ["the version is read before the value", flawed(torn), "a value is read with its own version"],
  ["a watch that hears once", flawed(hearingOnce), "a watcher hears of every change by somebody else, if there is a watch"],
  ["a watch that is not yet in force", flawed(hearingLate), "who watches, then reads, misses nothing, if there is a watch"],
  ["a watch for one only", flawed(hearingAlone), "all watchers of a key hear, and one that has stopped keeps no other from hearing"],
  ["times to live are ignored", flawed(immortal), "what has expired is absent, and its version conflicts"],
  ["what is absent is an empty value", flawed(empty), "what was never written is absent"],
  ["the version of a write is not the one that is read", flawed(renaming), "a write needs the version that is there, or null for nothing"],
  ["any version will do", flawed(anyVersion), "a write needs the version that is there, or null for nothing"],
  ["what is there is overwritten by who expects nothing", flawed(overwriting), "a write needs the version that is there, or null for nothing"],
  ["versions are made of the values", naive((_, value) => `version of ${value}`), "the same value once more is a write like any other"],
  ["a write of what is there already is left out", flawed(sparing), "the same value once more is a write like any other"],
  ["only the first write may bring a time to live", flawed(once), "a later write may bring a time to live"],
  ["what has expired is absent to who reads, and there to who writes", flawed(lazily()), "what has expired is absent, and its version conflicts"],
  ["what has expired can still be written with its version", flawed(lazily({ claims: true })), "what has expired is absent, and its version conflicts"],
  ["each handle remembers what it has read", remembering, "what one has written, all others read at once"],
  ["a watch that hears only what its own handle writes", hearingItself, "a watcher hears of every change by somebody else, if there is a watch"],
  ["a watch that hears no delete", flawed(hearingNoDelete), "a watcher hears of every change by somebody else, if there is a watch"],
  ["an end that comes late ends the next watch as well", flawed(endingLate), "who stops and watches again at once goes on hearing, if there is a watch"],
];

// At once: a sentence about a hint that never comes waits for it.
describe("a store with a flaw", { concurrency: true }, () => {
  for (const [flaw, make, broken] of FLAWS) {
    test(`${flaw}: "${broken}"`, async () => {
      const { run } = storeContract(make()).find(({ title }) => title === broken);
      await assert.rejects(run, (error) => error instanceof Error && error.message !== "");
    });
  }
});

test("every sentence has a store that breaks it", () => {
  const broken = new Set(FLAWS.map(([, , title]) => title));
  for (const { title } of storeContract(() => {})) assert.ok(broken.has(title), title);
});

test("what is wrong with a watch is no fault of the rest, and a store without one keeps the contract", async () => {
  const { watch, ...rest } = memoryStore();
  const [deaf, hearing] = [storeContract(() => rest), storeContract(flawed(hearingOnce)())];
  for (const { run } of deaf) await run();
  for (const { title, run } of hearing) if (!title.endsWith("if there is a watch") && !title.startsWith("all watchers")) await run();
});

test("no two sentences are the same", () => {
  const titles = storeContract(() => {}).map(({ title }) => title);
  assert.equal(new Set(titles).size, titles.length);
});

function endlessly({ read, write }) {
  const ends = new Map();
  return {
    read: (key) => (ends.get(key) <= performance.now() ? undefined : read(key)),
    write(key, value, { ifVersion, ttl }) {
      if (ttl !== undefined) ends.set(key, performance.now() + ttl);
      return write(key, value, { ifVersion });
    },
  };
}

function immortal({ write }) {
  return { write: (key, value, { ifVersion }) => write(key, value, { ifVersion }) };
}

function shortLived({ write }) {
  return { write: (key, value, { ifVersion, ttl }) => write(key, value, { ifVersion, ttl: ttl > 2 ** 31 ? 0 : ttl }) };
}

function unconditional({ read, write }) {
  return { write: (key, value, { ifVersion = read(key)?.version ?? null }) => write(key, value, { ifVersion }) };
}

function throwing({ write }) {
  return { write: (...values) => write(...values) ?? Promise.reject(new Error("conflict")) };
}

function deletingAnyway({ read, write }) {
  const any = (key) => ({ ifVersion: read(key)?.version ?? null });
  return { write: (key, value, conditions) => write(key, value, value === undefined ? any(key) : conditions) };
}

function parsing({ read }) {
  const parsed = (value) => {
    try {
      return String(JSON.parse(value));
    } catch {
      return value;
    }
  };
  return { read: (key) => read(key) && { ...read(key), value: parsed(read(key).value) } };
}

function behind({ read, write }) {
  const last = new Map();
  return {
    read: (key) => last.get(key) ?? read(key),
    write(key, ...values) {
      const before = read(key);
      const version = write(key, ...values);
      if (version !== undefined) last.set(key, before);
      return version;
    },
  };
}

function torn({ read }) {
  return {
    async read(key) {
      const row = read(key);
      await new Promise((resolve) => setTimeout(resolve, 2));
      return row && { ...row, value: read(key)?.value };
    },
  };
}

function hearingOnce({ watch }) {
  return {
    watch(key, listener) {
      let heard = false;
      return watch(key, () => heard || ((heard = true), listener()));
    },
  };
}

function hearingLate({ watch }) {
  return {
    async watch(key, listener) {
      await turn();
      return watch(key, listener);
    },
  };
}

function hearingAlone({ watch }) {
  const stops = new Map();
  return {
    watch(key, listener) {
      stops.get(key)?.();
      stops.set(key, watch(key, listener));
      return () => {};
    },
  };
}

function empty({ read }) {
  return { read: (key) => read(key) ?? { value: "", version: "none" } };
}

function renaming({ read, write }) {
  return {
    read: (key) => read(key) && { ...read(key), version: `"${read(key).version}"` },
    write: (key, value, { ifVersion, ttl }) => write(key, value, { ifVersion: ifVersion?.replaceAll('"', "") ?? ifVersion, ttl }),
  };
}

function anyVersion({ read, write }) {
  const current = (key, { ifVersion, ttl }) => ({ ifVersion: typeof ifVersion === "string" ? (read(key)?.version ?? ifVersion) : ifVersion, ttl });
  return { write: (key, value, conditions) => write(key, value, current(key, conditions)) };
}

function overwriting({ read, write }) {
  const current = (key, { ifVersion, ttl }) => ({ ifVersion: ifVersion === null ? (read(key)?.version ?? null) : ifVersion, ttl });
  return { write: (key, value, conditions) => write(key, value, current(key, conditions)) };
}

function sparing({ read, write }) {
  return {
    write(key, value, conditions) {
      const row = read(key);
      const isThere = row !== undefined && row.value === value && row.version === conditions.ifVersion;
      return isThere ? row.version : write(key, value, conditions);
    },
  };
}

function once({ write }) {
  return { write: (key, value, { ifVersion, ttl }) => write(key, value, { ifVersion, ...(ifVersion === null && { ttl }) }) };
}

/** The database deletes what has expired later. `claims`: who expects nothing may take the place. */
function lazily({ claims = false } = {}) {
  return ({ read, write }) => {
    const ends = new Map();
    const hasEnded = (key) => ends.get(key) <= performance.now();
    return {
      read: (key) => (hasEnded(key) ? undefined : read(key)),
      write(key, value, { ifVersion, ttl }) {
        const taken = claims && ifVersion === null && hasEnded(key) ? (read(key)?.version ?? null) : ifVersion;
        const version = write(key, value, { ifVersion: taken });
        if (version !== undefined) ends.set(key, ttl === undefined ? Infinity : performance.now() + ttl);
        return version;
      },
    };
  };
}

/** Until it writes itself. */
function remembering() {
  const good = memoryStore();
  return () => {
    const known = new Map();
    return {
      read(key) {
        if (!known.has(key)) known.set(key, good.read(key));
        return known.get(key);
      },
      write(key, ...values) {
        known.delete(key);
        return good.write(key, ...values);
      },
    };
  };
}

function hearingItself() {
  const good = memoryStore();
  return () => {
    const listeners = new Map();
    return {
      ...good,
      write(key, ...values) {
        const version = good.write(key, ...values);
        if (version !== undefined) for (const listener of listeners.get(key) ?? []) listener();
        return version;
      },
      watch(key, listener) {
        const all = listeners.get(key) ?? new Set();
        listeners.set(key, all.add(listener));
        return () => all.delete(listener);
      },
    };
  };
}

function hearingNoDelete({ read, watch }) {
  return { watch: (key, listener) => watch(key, () => read(key) && listener()) };
}

/** One channel for each key, and whoever leaves is struck from it when the server has answered. */
function endingLate({ watch }) {
  const stops = new Map();
  return {
    watch(key, listener) {
      if (!stops.has(key)) stops.set(key, watch(key, listener));
      return () => void turn().then(() => (stops.get(key)?.(), stops.delete(key)));
    },
  };
}
