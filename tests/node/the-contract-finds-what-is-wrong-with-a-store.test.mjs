// Stores with one flaw each: the sentence of the contract that it breaks must say so.

import assert from "node:assert/strict";
import test from "node:test";

import { memoryStore } from "refresh-coordinator";
import { storeContract } from "refresh-coordinator/testing";

const turn = () => new Promise(setImmediate);

/** A good store but for the members that are made of it. */
const flawed = (make) => () => {
  const good = memoryStore();
  return { ...good, ...make(good) };
};

const keyed = (change) => flawed(({ read, write, watch }) => ({
  read: (key) => read(change(key)),
  write: (key, value, conditions) => write(change(key), value, conditions),
  watch: (key, listener) => watch(change(key), listener),
}));

/** A store of a naive kind: a map, and versions as `next` makes them. */
const naive = (next, { atomic = true } = {}) => () => {
  const rows = new Map();
  return {
    read: async (key) => rows.get(key),
    async write(key, value, { ifVersion, ttl }) {
      if (ifVersion === undefined) throw new TypeError("a version is needed");
      const row = rows.get(key);
      if ((row?.version ?? null) !== ifVersion) return undefined;
      if (!atomic) await turn();
      const version = next(row);
      if (value === undefined) rows.delete(key);
      else rows.set(key, { value, version });
      if (ttl !== undefined) setTimeout(() => rows.get(key)?.version === version && rows.delete(key), Math.min(ttl, 2 ** 30)).unref();
      return version;
    },
  };
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
];

for (const [flaw, make, broken] of FLAWS) {
  test(`${flaw}: "${broken}"`, async () => {
    const store = make();
    const { run } = storeContract(() => store).find(({ title }) => title === broken);
    await assert.rejects(run, (error) => error instanceof Error && error.message !== "");
  });
}

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
