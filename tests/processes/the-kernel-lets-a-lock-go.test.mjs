// The locks of a store in a file: held between processes, and let go by the kernel when their holder dies.

import assert from "node:assert/strict";
import { promises } from "node:fs";
import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";

import { fileStore } from "refresh-coordinator/stores/file";

import { folder, start } from "./file/scene.mjs";

/** As Linux and Windows have them, and as macOS does. */
const KERNELS = { "locks of single bytes": {}, "locks of whole files": { whole: true } };

for (const [kernel, settings] of Object.entries(KERNELS)) {
  const pair = async (t, count = 2) => {
    const place = await folder(t);
    const path = join(place, "credentials.json");
    return { place, path, processes: await Promise.all(Array.from({ length: count }, () => start(t, { path, ...settings }))) };
  };
  const lock = (one, name, more) => one.call("lock", name, more);

  test(`${kernel}: a lock that one process has another one waits for, until it is let go`, async (t) => {
    const { processes: [one, other] } = await pair(t);
    assert.equal(await lock(one, "k"), true);
    assert.equal(await lock(other, "k", { ifAvailable: true }), false);
    const waits = lock(other, "k");
    await one.call("release", "k");
    assert.equal(await waits, true);
    assert.equal(await lock(one, "k", { ifAvailable: true }), false);
  });

  test(`${kernel}: the lock of a process that was killed is free`, async (t) => {
    const { processes: [one, ...others] } = await pair(t, 3);
    await lock(one, "k");
    const waits = others.map((other) => lock(other, "k").then(() => other));
    await one.kill();
    const first = await Promise.race(waits);
    const [second] = others.filter((other) => other !== first);
    assert.equal(await lock(second, "k", { ifAvailable: true }), false, "only one has it now");
    await first.call("release", "k");
    await Promise.all(waits);
  });

  test(`${kernel}: a process that stands still keeps its lock`, async (t) => {
    const { processes: [one, other] } = await pair(t);
    await lock(one, "k");
    await one.kill("SIGSTOP");
    await assert.rejects(lock(other, "k", { patience: 300 }), { name: "TimeoutError" });
    await one.kill("SIGCONT");
    await one.call("release", "k");
    assert.equal(await lock(other, "k"), true);
  });

  test(`${kernel}: who has left the queue does not get the lock, and keeps nobody from it`, async (t) => {
    const { processes: [one, other, third] } = await pair(t, 3);
    await lock(one, "k");
    await assert.rejects(lock(other, "k", { patience: 50 }), { name: "TimeoutError" });
    await one.call("release", "k");
    assert.equal(await lock(third, "k", { ifAvailable: true }), true);
    await third.call("release", "k");
    assert.equal(await lock(other, "k", { ifAvailable: true }), true);
  });

  test(`${kernel}: in one process, locks of two names are held at once, and of one name one after the other`, async (t) => {
    const { processes: [one, other] } = await pair(t);
    assert.equal(await lock(one, "k"), true);
    assert.equal(await lock(one, "another"), true);
    assert.equal(await lock(one, "k", { ifAvailable: true }), false);
    await one.call("release", "k");
    assert.equal(await lock(other, "another", { ifAvailable: true }), false);
    await one.call("release", "another");
    assert.equal(await lock(other, "another", { ifAvailable: true }), true);
  });

  test(`${kernel}: a name that nobody else can have is granted at once, whatever others hold`, async (t) => {
    const { place, processes: [one, other] } = await pair(t);
    await lock(one, "k");
    assert.equal(await lock(other, "k/probe", { ifAvailable: true }), true);
    await other.call("release", "k/probe");
    assert.deepEqual(await readdir(place), ["credentials.json.lock"]);
  });

  test(`${kernel}: who waited while the lock file was deleted has the lock of the one that is there`, async (t) => {
    const { path, processes: [one, other, third] } = await pair(t, 3);
    await lock(one, "k");
    const waits = lock(other, "k");
    // It waits already: it has the file open.
    await lock(other, "another/probe");
    await unlink(`${path}.lock`);
    await one.call("release", "k");
    await waits;
    assert.equal(await lock(third, "k", { ifAvailable: true }), false);
  });
}

test("sessions of one file do not wait for each other where the kernel locks single bytes", async (t) => {
  const path = join(await folder(t), "credentials.json");
  const [one, other] = await Promise.all([start(t, { path }), start(t, { path })]);
  await one.call("lock", "k");
  assert.equal(await other.call("lock", "another", { ifAvailable: true }), true);
});

test("the lock file is for the user alone, and stays", async (t) => {
  const path = join(await folder(t), "credentials.json");
  const one = await start(t, { path, umask: 0 });
  await one.call("lock", "k");
  await one.call("release", "k");
  assert.equal((await stat(`${path}.lock`)).mode & 0o777, 0o600);
});

/** As some versions of Node have it on Windows: a file is on another disk by its name than it is open. */
async function withDisksOfTheirOwn(t, platform) {
  const stat = promises.stat;
  t.mock.method(promises, "stat", async (path, ...more) => Object.assign(await stat(path, ...more), path.endsWith(".lock") && { dev: 0n }));
  const original = Object.getOwnPropertyDescriptor(process, "platform");
  Object.defineProperty(process, "platform", { ...original, value: platform });
  t.after(() => Object.defineProperty(process, "platform", original));
  return fileStore(join(await folder(t), "credentials.json"), { lock: { tryLock: () => true } });
}

test("on Windows a file is the same one whatever its disk is said to be", async (t) => {
  const store = await withDisksOfTheirOwn(t, "win32");
  const signal = AbortSignal.timeout(60_000);
  assert.equal(await store.locks.request("k", { signal }, (lock) => lock.name), "k");
});

test("a lock file that is never the one that was locked is not opened without end", async (t) => {
  const store = await withDisksOfTheirOwn(t, process.platform);
  const signal = AbortSignal.timeout(60_000);
  await assert.rejects(store.locks.request("k", { signal }, () => {}), { message: /never the one that was locked/ });
});
