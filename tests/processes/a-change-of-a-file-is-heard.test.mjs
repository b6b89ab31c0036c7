// Who watches a file hears of changes by others, whatever the system's own events are worth, and may end all the same.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import fs from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import test from "node:test";

import { fileStore } from "refresh-coordinator/stores/file";

import { folder, start } from "./file/scene.mjs";

const original = fs.watch;
const WATCHES = {
  "by the folder's events": original,
  "where the folder's events are lost": () => Object.assign(new EventEmitter(), { close() {} }),
  "where nothing can be watched": () => {
    throw Object.assign(new Error("too many watches"), { code: "ENOSPC" });
  },
};

for (const [how, watch] of Object.entries(WATCHES)) {
  test(`a change by another process is heard, ${how}`, async (t) => {
    fs.watch = watch;
    syncBuiltinESMExports();
    t.after(() => {
      fs.watch = original;
      syncBuiltinESMExports();
    });
    const path = join(await folder(t), "credentials.json");
    const other = await start(t, { path });
    const first = await other.write("k", "v");
    const store = fileStore(path);
    const heard = new EventEmitter();
    const stop = store.watch("k", () => heard.emit("change"));
    // That it listens is heard as well.
    await once(heard, "change");
    const changed = once(heard, "change");
    await other.write("k", "w", first);
    await changed;
    stop();
  });
}

test("a change is heard after the folder was made, and after another one took its place", async (t) => {
  const place = await folder(t);
  const path = join(place, "new", "credentials.json");
  const store = fileStore(path);
  const heard = new EventEmitter();
  const stop = store.watch("k", () => heard.emit("change"));
  const other = await start(t, { path });
  const until = async (value) => {
    while ((await store.read("k"))?.value !== value) await once(heard, "change");
  };
  await other.write("k", "in a new folder");
  await until("in a new folder");
  const text = await readFile(path, "utf8");
  await rename(join(place, "new"), join(place, "old"));
  await mkdir(join(place, "new"));
  await writeFile(path, text.replace("in a new folder", "in another folder"));
  await until("in another folder");
  stop();
});

test("a process that watches, and has used store and lock, ends when it has nothing else to do", async (t) => {
  const path = join(await folder(t), "credentials.json");
  const program = `
    import { fileStore } from "refresh-coordinator/stores/file";
    const store = fileStore(${JSON.stringify(path)});
    store.watch("k", () => {});
    await store.write("k", "v", { ifVersion: null });
    await store.locks.request("k", {}, () => {});
    store.watch("another", () => {});`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: "inherit" });
  t.after(() => child.kill("SIGKILL"));
  assert.deepEqual(await once(child, "exit"), [0, null]);
});
