// Many processes write one file, without a lock, and may stand still or die at any moment: nobody's write is lost.

import assert from "node:assert/strict";
import { once } from "node:events";
import { promises } from "node:fs";
import { link, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";

import { fileStore } from "refresh-coordinator/stores/file";

import { folder, json, namesIn, start } from "./file/scene.mjs";

const WRITERS = 4;
const KILLS = 6;
const STEPS = 8;
const DISKS = { "": [], ", on a disk without hard links": ["link"] };

for (const [disk, lacks] of Object.entries(DISKS)) {
  test(`what many count together is right, also if some are killed${disk}`, async (t) => {
    const path = join(await folder(t), "credentials.json");
    const keys = ["all", "each"];
    const random = seeded(1);
    const everybody = [];
    const begin = async () => {
      const one = await start(t, { path, lacks });
      everybody.push(one);
      const failed = one.call("count", keys);
      failed.catch(() => {});
      /** Until it has done so many steps more. */
      one.counts = async (steps) => {
        for (const enough = one.said.length + steps; one.said.length < enough; ) await Promise.race([once(one.told, "line"), failed]);
      };
      return one;
    };
    const alive = await Promise.all(Array.from({ length: WRITERS }, begin));
    for (let killed = 0; killed < KILLS; killed += 1) {
      const [victim] = alive.splice(Math.floor(random() * alive.length), 1);
      await victim.counts(1 + Math.floor(random() * STEPS));
      await victim.kill();
      // What it leaves behind is read by everybody, at once.
      assert.equal(typeof (await json(path))["refresh-coordinator"].revision, "string");
      alive.push(await begin());
    }
    for (const one of alive) await one.counts(1);
    await Promise.all(alive.map((one) => one.kill()));
    const store = fileStore(path);
    for (const key of keys) {
      const steps = everybody.flatMap(({ said }) => said.filter((line) => line.startsWith(`${key} `)));
      assert.equal(new Set(steps).size, steps.length, "a step was done twice");
      const counted = Number((await store.read(key)).value);
      const unsaid = counted - steps.length;
      assert.ok(unsaid >= 0 && unsaid <= everybody.length, `${counted} counted, ${steps.length} said, by ${everybody.length} processes`);
    }
  });

  for (const operation of ["open", "writeFile", "link", "rename"].filter((operation) => !lacks.includes(operation))) {
    test(`who is killed at the ${operation} of a write has written nothing, and nobody waits for him for long${disk}`, async (t) => {
      const place = await folder(t);
      const path = join(place, "credentials.json");
      const [victim, other] = await Promise.all([start(t, { path, lacks }), start(t, { path, lacks })]);
      const first = await other.write("k", "before");
      const before = await readFile(path, "utf8");
      await victim.writesUntil(operation, "k", "never", first);
      await victim.kill();
      assert.equal(await readFile(path, "utf8"), before);
      assert.deepEqual(await other.read("k"), { value: "before", version: first });
      assert.equal(typeof (await other.write("k", "after", first)), "string");
      assert.equal((await other.read("k")).value, "after");
      assert.deepEqual((await namesIn(place)).filter((name) => name.endsWith(".turn")), [], "no turn of a revision that is past");
    });
  }

  test(`who stood still before the rename, and was not waited for, writes nothing when he wakes${disk}`, async (t) => {
    const place = await folder(t);
    const path = join(place, "credentials.json");
    const [sleeper, other] = await Promise.all([start(t, { path, lacks }), start(t, { path, lacks })]);
    const first = await other.write("k", "before");
    const { written } = await sleeper.writesUntil("rename", "k", "late", first);
    const [second, third] = await Promise.all([other.write("k", "in time", first), other.write("another", "v")]);
    assert.ok(second && third);
    await sleeper.goOn();
    assert.equal(await written, undefined, "a conflict");
    assert.deepEqual(await other.read("k"), { value: "in time", version: second });
    assert.equal((await other.read("another")).value, "v");
    assert.deepEqual(await namesIn(place), ["credentials.json"]);
  });
}

test("who stood still before the rename, and was overtaken for another key, writes all the same", async (t) => {
  const path = join(await folder(t), "credentials.json");
  const [sleeper, other] = await Promise.all([start(t, { path }), start(t, { path })]);
  const first = await other.write("k", "before");
  const { written } = await sleeper.writesUntil("rename", "k", "late", first);
  await other.write("another", "v");
  await sleeper.goOn();
  const version = await written;
  assert.deepEqual(await other.read("k"), { value: "late", version });
  assert.equal((await other.read("another")).value, "v");
});

test("who was passed by does not get his turn back while another one has it", async (t) => {
  const path = join(await folder(t), "credentials.json");
  const [sleeper, other] = await Promise.all([start(t, { path }), start(t, { path })]);
  const first = await other.write("k", "before");
  const late = await sleeper.writesUntil("rename", "k", "late", first);
  const passing = await other.writesUntil("rename", "another", "v");
  await sleeper.goOn();
  const version = await late.written;
  await other.goOn();
  assert.equal(typeof (await passing.written), "string");
  assert.deepEqual(await other.read("k"), { value: "late", version });
  assert.equal((await other.read("another")).value, "v");
});

test("of many who sign in at once where there is no file, one is the first", async (t) => {
  const path = join(await folder(t), "new", "credentials.json");
  const writers = await Promise.all(Array.from({ length: 4 }, () => start(t, { path })));
  const written = await Promise.all(writers.map((one, index) => one.write("k", `by ${index}`)));
  assert.equal(written.filter((version) => version !== undefined).length, 1);
  assert.equal((await writers[0].read("k")).value, `by ${written.findIndex((version) => version !== undefined)}`);
});

test("of two who sign in where there is no file, of whom one may make no hard links, none is lost", async (t) => {
  const path = join(await folder(t), "credentials.json");
  const [without, other] = await Promise.all([start(t, { path, lacks: ["link"] }), start(t, { path })]);
  // At the turn, and with it in hand.
  const halted = once(without.told, "halt");
  const { written } = await without.writesUntil("rename", "k", "ours");
  await Promise.all([halted, without.call("stopAt", "rename")]);
  const renaming = once(without.told, "halt");
  await without.goOn();
  await renaming;
  const theirs = await other.write("another", "theirs");
  await without.goOn();
  assert.ok((await written) && theirs);
  assert.deepEqual([(await other.read("k")).value, (await other.read("another")).value], ["ours", "theirs"]);
});

test("a disk that fails when a link is made is not taken for one without links", async (t) => {
  const place = await folder(t);
  const path = join(place, "credentials.json");
  t.after(() => (promises.link = link));
  promises.link = () => Promise.reject(Object.assign(new Error("broken"), { code: "EIO" }));
  await assert.rejects(fileStore(path).write("k", "v", { ifVersion: null }), { name: "StoreError", message: /EIO/ });
  assert.deepEqual(await namesIn(place), []);
});

/** Somebody who has the turn to replace what is there, and stands still. */
async function standsStill(path, change) {
  const text = await readFile(path, "utf8");
  const { revision } = JSON.parse(text)["refresh-coordinator"];
  const id = "ab".repeat(16);
  const [temporary, turn] = [`${path}.${id}.tmp`, `${path}.${revision}.0.turn`];
  await writeFile(temporary, change(text.replace(revision, id)));
  await link(temporary, turn);
  return { temporary, turn };
}

test("nobody is passed by whose file cannot be deleted: he may still rename it", async (t) => {
  const place = await folder(t);
  const path = join(place, "credentials.json");
  t.after(() => (promises.rm = rm));
  const store = fileStore(path);
  const first = await store.write("k", "before", { ifVersion: null });
  const { temporary } = await standsStill(path, (text) => text.replace("before", "by him"));
  const again = new Promise((resolve) => {
    let attempts = 0;
    promises.rm = async (file, ...values) => {
      if (file !== temporary) return rm(file, ...values);
      attempts += 1;
      if (attempts > 1) resolve();
      throw Object.assign(new Error("somebody has it open"), { code: "EBUSY" });
    };
  });
  const other = store.write("another", "v", { ifVersion: null });
  await Promise.race([again, other]);
  await rename(temporary, path);
  assert.equal(typeof (await other), "string");
  assert.deepEqual(await store.read("k"), { value: "by him", version: first });
  assert.equal((await store.read("another")).value, "v");
});

test("who cannot be stopped and does not go on is an error in the end, that names what is in the way", async (t) => {
  const path = join(await folder(t), "credentials.json");
  t.after(() => (promises.rm = rm));
  const store = fileStore(path);
  const first = await store.write("k", "before", { ifVersion: null });
  const { temporary, turn } = await standsStill(path, (text) => text);
  promises.rm = (file, ...values) => (file === temporary ? Promise.reject(Object.assign(new Error("open"), { code: "EPERM" })) : rm(file, ...values));
  await assert.rejects(store.write("k", "late", { ifVersion: first }), (error) => error.name === "StoreError" && error.message.includes(turn));
  assert.equal((await store.read("k")).value, "before");
});

test("a writer of a later layout is waited for, and stopped, like any other", async (t) => {
  const path = join(await folder(t), "credentials.json");
  const store = fileStore(path);
  const first = await store.write("k", "before", { ifVersion: null });
  const { temporary } = await standsStill(path, (text) => text.replace('"v": 1', '"v": 2'));
  const second = await store.write("k", "after", { ifVersion: first });
  assert.deepEqual(await store.read("k"), { value: "after", version: second });
  await assert.rejects(rename(temporary, path), { code: "ENOENT" }, "he can no longer rename");
});

test("a turn that does not say whose it is, is waited for", async (t) => {
  const path = join(await folder(t), "credentials.json");
  const store = fileStore(path);
  const first = await store.write("k", "before", { ifVersion: null });
  const { turn } = await standsStill(path, () => "{");
  await assert.rejects(store.write("k", "late", { ifVersion: first }), (error) => error.name === "StoreError" && error.message.includes(turn));
  assert.equal((await store.read("k")).value, "before");
});

test("what the dead have left is cleared away, and what the living have is not", async (t) => {
  const place = await folder(t);
  const path = join(place, "credentials.json");
  await fileStore(path).write("k", "v", { ifVersion: null });
  const { revision } = (await json(path))["refresh-coordinator"];
  const left = { old: `credentials.json.${"a".repeat(32)}.tmp`, turn: `credentials.json.${"b".repeat(32)}.0.turn` };
  const kept = { young: `credentials.json.${"c".repeat(32)}.tmp`, other: "credentials.json.backup.tmp", short: "credentials.json.1234.tmp", another: `else.json.${"d".repeat(32)}.0.turn` };
  for (const name of [...Object.values(left), ...Object.values(kept)]) await writeFile(join(place, name), "{}");
  const { mtime } = await stat(path);
  for (const old of [left.old, kept.other, kept.short]) await utimes(join(place, old), mtime, new Date(mtime.getTime() - 61_000));
  const next = fileStore(path);
  const { version } = await next.read("k");
  await next.write("k", "w", { ifVersion: version });
  assert.deepEqual(await namesIn(place), ["credentials.json", ...Object.values(kept)].sort());
  assert.notEqual((await json(path))["refresh-coordinator"].revision, revision);
});

test("a process that lives on clears away, now and then, what others have left since", async (t) => {
  const place = await folder(t);
  const path = join(place, "credentials.json");
  const store = fileStore(path);
  const first = await store.write("k", "v", { ifVersion: null });
  const left = `${path}.${"a".repeat(32)}.tmp`;
  await writeFile(left, "{}");
  await utimes(left, 1, 1);
  const now = performance.now.bind(performance);
  t.mock.method(performance, "now", () => now() + 10 * 60_000);
  await store.write("k", "w", { ifVersion: first });
  assert.deepEqual(await namesIn(place), ["credentials.json"]);
});

test("who deletes leaves nothing of what somebody was writing who was killed just before", async (t) => {
  const place = await folder(t);
  const path = join(place, "credentials.json");
  const [victim, other] = await Promise.all([start(t, { path }), start(t, { path })]);
  const first = await other.write("k", "before");
  await victim.writesUntil("link", "k", "a token", first);
  await victim.kill();
  assert.equal((await namesIn(place)).length, 2);
  assert.equal(typeof (await other.write("k", undefined, first)), "string");
  assert.deepEqual(await namesIn(place), ["credentials.json"]);
});

for (const operation of ["open", "link", "rename"]) {
  test(`who was about to do the ${operation} while another one deletes begins anew`, async (t) => {
    const path = join(await folder(t), "credentials.json");
    const [sleeper, other] = await Promise.all([start(t, { path }), start(t, { path })]);
    const first = await other.write("another", "before");
    const { written } = await sleeper.writesUntil(operation, "k", "v");
    await other.write("another", undefined, first);
    await sleeper.goOn();
    const version = await written;
    assert.deepEqual(await other.read("k"), { value: "v", version });
    assert.equal(await other.read("another"), undefined);
  });
}

for (const [operation, before] of [["link", undefined], ["rename", "before"]]) {
  test(`a ${operation} that a network has done, and then says it has not, is done`, async (t) => {
    const path = join(await folder(t), "credentials.json");
    const store = fileStore(path, { lock: false });
    const first = before && (await store.write("k", before, { ifVersion: null }));
    const original = promises[operation];
    const twice = t.mock.method(promises, operation, async (from, to) => {
      await original(from, to);
      // The server is asked again, for the first reply was lost.
      if (to === path) await original(from, to);
    });
    const version = await store.write("k", "after", { ifVersion: first ?? null });
    assert.ok(twice.mock.callCount() > 0);
    assert.deepEqual(await store.read("k"), { value: "after", version });
  });
}

test("on Windows a read is tried again while somebody who renames has the file open", async (t) => {
  const path = join(await folder(t), "credentials.json");
  const store = fileStore(path, { lock: false });
  await store.write("k", "v", { ifVersion: null });
  const refused = ["EPERM", "EBUSY", "EACCES"];
  t.mock.method(promises, "readFile", async (...values) => {
    const code = refused.pop();
    if (code !== undefined) throw Object.assign(new Error("somebody has it open"), { code });
    return readFile(...values);
  });
  const platform = Object.getOwnPropertyDescriptor(process, "platform");
  t.after(() => Object.defineProperty(process, "platform", platform));
  Object.defineProperty(process, "platform", { ...platform, value: "win32" });
  assert.equal((await store.read("k")).value, "v");
  assert.deepEqual(refused, []);
});

/** The same numbers each time. */
function seeded(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
