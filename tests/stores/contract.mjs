// What every store must do, whatever it is made of. Runs in Node and in a page, so it brings its own assertions.

/**
 * Each is a sentence and a function of `open`, which opens one more handle on the same empty data, as another tab or process
 * would. It throws if the sentence is not true.
 */
export const contract = {
  "what was never written is absent": async (open) => {
    equal(await open().read("k"), undefined);
  },

  "a write needs the version that is there, or null for nothing": async (open) => {
    const store = open();
    const first = await store.write("k", "a", { ifVersion: null });
    equal(typeof first, "string");
    equal(await store.write("k", "b", { ifVersion: null }), undefined, "there is something");
    equal(await store.write("k", "b", { ifVersion: "another" }), undefined, "that was never the version");
    const second = await store.write("k", "b", { ifVersion: first });
    equal(await store.write("k", "c", { ifVersion: first }), undefined, "that version is gone");
    const { value, version } = await store.read("k");
    equal(value, "b");
    equal(version, second);
  },

  "a conflict writes nothing, and deletes nothing": async (open) => {
    const store = open();
    const version = await store.write("k", "a", { ifVersion: null });
    equal(await store.write("k", undefined, { ifVersion: null }), undefined);
    equal(await store.write("absent", undefined, { ifVersion: version }), undefined);
    equal((await store.read("k")).value, "a");
    equal(await store.read("absent"), undefined);
  },

  "there is no unconditional write": async (open) => {
    const store = open();
    await rejects(async () => store.write("k", "a", {}));
    equal(await store.read("k"), undefined);
  },

  "keys are apart": async (open) => {
    const store = open();
    const keys = ["", "k", "K", "k ", "__proto__", "constructor", "ключ", "\u0000", "a".repeat(500)];
    for (const key of keys) equal(typeof (await store.write(key, `of ${key}`, { ifVersion: null })), "string", key);
    for (const key of keys) equal((await store.read(key)).value, `of ${key}`, key);
  },

  "a value comes back as it was": async (open) => {
    const store = open();
    let version = null;
    for (const value of ["", "\u0000", "\"quotes\" and \\", "ß🙂\u2028", "x".repeat(200_000)]) {
      version = await store.write("k", value, { ifVersion: version });
      equal((await store.read("k")).value, value);
    }
  },

  "no version is used twice for a key, not even after a delete": async (open) => {
    const store = open();
    const seen = new Set();
    for (let round = 0; round < 20; round += 1) {
      const version = await store.write("k", "v", { ifVersion: null });
      equal(seen.has(version), false);
      seen.add(version);
      equal(typeof (await store.write("k", undefined, { ifVersion: version })), "string");
      equal(await store.read("k"), undefined);
      equal(await store.write("k", "w", { ifVersion: version }), undefined, "its version went with it");
    }
  },

  "what has expired is absent, and its version conflicts": async (open) => {
    const store = open();
    const version = await store.write("k", "v", { ifVersion: null, ttl: 1 });
    while ((await store.read("k")) !== undefined) await turn();
    equal(await store.write("k", "w", { ifVersion: version }), undefined);
    const next = await store.write("k", "w", { ifVersion: null });
    equal(next === version, false);
    equal((await store.read("k")).value, "w");
  },

  "a time to live ends with the next write": async (open) => {
    const store = open();
    const version = await store.write("k", "v", { ifVersion: null, ttl: 60_000 });
    equal((await store.read("k")).value, "v");
    await store.write("k", "w", { ifVersion: version });
    await store.write("other", "x", { ifVersion: null, ttl: 1 });
    while ((await store.read("other")) !== undefined) await turn();
    equal((await store.read("k")).value, "w");
  },

  "of many writers with one version, one wins": async (open) => {
    const stores = Array.from({ length: 10 }, open);
    for (const ifVersion of [null, await stores[0].write("b", "0", { ifVersion: null })]) {
      const key = ifVersion === null ? "a" : "b";
      const written = await Promise.all(stores.map((store, index) => store.write(key, `by ${index}`, { ifVersion })));
      const winners = written.flatMap((version, index) => (version === undefined ? [] : [index]));
      equal(winners.length, 1);
      const { value, version } = await stores[0].read(key);
      equal(value, `by ${winners[0]}`);
      equal(version, written[winners[0]]);
    }
  },

  "what one has written, all others read at once": async (open) => {
    const [one, ...others] = Array.from({ length: 4 }, open);
    let version = null;
    for (let round = 0; round < 20; round += 1) {
      version = await one.write("k", `round ${round}`, { ifVersion: version });
      for (const other of others) equal((await other.read("k")).value, `round ${round}`);
    }
    await others[0].write("k", undefined, { ifVersion: version });
    equal(await one.read("k"), undefined);
  },

  "a watcher hears of a change, if there is a watch": async (open) => {
    const store = open();
    if (store.watch === undefined) return;
    let hear;
    const heard = new Promise((resolve) => (hear = resolve));
    const stop = await store.watch("k", hear);
    await open().write("k", "v", { ifVersion: null });
    await heard;
    stop();
  },
};

function equal(actual, expected, about = "") {
  if (!Object.is(actual, expected)) throw new Error(`${about}: ${short(actual)} instead of ${short(expected)}`);
}

async function rejects(call) {
  const outcome = await call().then(() => "it did not", () => undefined);
  equal(outcome, undefined, "it should have been refused");
}

const short = (value) => (JSON.stringify(value) ?? "undefined").slice(0, 80);

const turn = () => new Promise((resolve) => setTimeout(resolve));
