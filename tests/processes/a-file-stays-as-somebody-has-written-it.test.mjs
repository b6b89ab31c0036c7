// The file of a store: whose it is, who may read it, where it really is, and what else is in it.

import assert from "node:assert/strict";
import { promises } from "node:fs";
import { chmod, chown, lstat, mkdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { pathToFileURL } from "node:url";

import { RefreshCoordinator, StoreError } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";

import { folder, json, namesIn, start } from "./file/scene.mjs";

const modeOf = async (path) => (await stat(path)).mode & 0o777;
const write = async (store, key, value) => store.write(key, value, { ifVersion: (await store.read(key))?.version ?? null });

for (const umask of [0, 0o777]) {
  test(`file and folder are for the user alone, with the umask ${umask.toString(8)}`, async (t) => {
    const place = await folder(t);
    const path = join(place, "made", "for it", "credentials.json");
    const one = await start(t, { path, umask });
    const version = await one.write("k", "v");
    for (const made of ["made", "made/for it"]) assert.equal(await modeOf(join(place, made)), 0o700);
    assert.equal(await modeOf(path), 0o600);
    await one.write("k", "w", version);
    assert.equal(await modeOf(path), 0o600);
  });
}

test("a folder that was there keeps its mode, and a file that others may read is the user's alone at the next look", async (t) => {
  const place = await folder(t);
  await chmod(place, 0o755);
  const path = join(place, "credentials.json");
  await write(fileStore(path), "k", "v");
  await chmod(path, 0o644);
  assert.equal((await fileStore(path).read("k")).value, "v");
  assert.equal(await modeOf(path), 0o600);
  assert.equal(await modeOf(place), 0o755);
});

test("a file with nothing of ours in it keeps its mode when it is read, and is the user's alone when it has tokens", async (t) => {
  const path = join(await folder(t), "settings.json");
  await writeFile(path, '{ "theme": "dark" }');
  await chmod(path, 0o664);
  const store = fileStore(path);
  assert.equal(await store.read("k"), undefined);
  assert.equal(await modeOf(path), 0o664);
  await write(store, "k", "v");
  assert.equal(await modeOf(path), 0o600);
});

const isRoot = process.getuid() === 0;

test("what root makes in a user's folder is the user's, and his file keeps its mode when root reads it", async (t) => {
  const place = await folder(t);
  const [home, user] = [join(place, "home"), isRoot ? 1000 : process.getuid()];
  await mkdir(home);
  await chown(home, user, isRoot ? user : process.getgid());
  const path = join(home, ".config", "tool", "credentials.json");
  await write(fileStore(path), "k", "v");
  for (const made of [path, join(home, ".config"), join(home, ".config", "tool")]) assert.equal((await stat(made)).uid, user, made);
  await chmod(path, 0o640);
  assert.equal((await fileStore(path).read("k")).value, "v");
  assert.equal(await modeOf(path), isRoot ? 0o640 : 0o600);
});

test("a symbolic link stays one, also to a file that is not there yet, and all who come by any of them share a lock", async (t) => {
  const place = await folder(t);
  await mkdir(join(place, "home"));
  await mkdir(join(place, "dotfiles"));
  const target = join(place, "dotfiles", "credentials.json");
  const [link, chain] = [join(place, "home", "credentials.json"), join(place, "home", "chain.json")];
  await symlink("../dotfiles/credentials.json", link);
  await symlink("credentials.json", chain);
  await symlink("home", join(place, "home too"));
  await write(fileStore(link), "k", "first");
  for (const [count, path] of [target, link, chain, join(place, "home too", "chain.json")].entries()) {
    const store = fileStore(path);
    await write(store, "k", `by ${count}`);
    assert.equal((await fileStore(target).read("k")).value, `by ${count}`);
    await store.locks.request("k", {}, async () => {
      for (const other of [target, link, chain]) {
        await fileStore(other).locks.request("k", { ifAvailable: true }, (lock) => assert.equal(lock, null, other));
      }
    });
  }
  assert.equal(await readlink(link), "../dotfiles/credentials.json");
  assert.ok((await lstat(chain)).isSymbolicLink());
  assert.ok((await lstat(target)).isFile());
  assert.deepEqual(await namesIn(join(place, "home")), ["chain.json", "credentials.json"]);
});

test("everything else in the file stays, to the letter", async (t) => {
  const path = join(await folder(t), "settings.json");
  const others = '\n\t"theme" : "dark",\r\n  "big": 12345678901234567890, "a": {"refresh-coordinator": [ "}" , "\\"{" ]}, "tail": [ ]';
  for (const text of [`{${others}}`, `{${others}\n}\n\n`, `\uFEFF{${others} }`]) {
    await writeFile(path, text);
    const store = fileStore(path);
    await write(store, "k", "v");
    await write(store, "__proto__", '"}');
    await write(store, "k", undefined);
    assert.deepEqual(await store.read("k"), undefined);
    assert.equal((await store.read("__proto__")).value, '"}');
    const after = await readFile(path, "utf8");
    assert.ok(after.includes(others), after);
    assert.ok(after.endsWith(text.slice(text.lastIndexOf("}"))));
    assert.deepEqual(Object.keys(JSON.parse(after.replace("\uFEFF", ""))), ["theme", "big", "a", "tail", "refresh-coordinator"]);
  }
});

test("what others write in between is kept, and so is what a later version of this layout has added", async (t) => {
  const path = join(await folder(t), "settings.json");
  const store = fileStore(path);
  await write(store, "k", "v");
  const content = await json(path);
  content["refresh-coordinator"].later = { added: true };
  content["refresh-coordinator"].records.k.note = "kept";
  await writeFile(path, JSON.stringify({ first: 1, ...content, last: [2] }));
  await write(store, "another", "w");
  const after = await json(path);
  assert.deepEqual([after.first, after.last, after["refresh-coordinator"].later], [1, [2], { added: true }]);
  assert.equal(after["refresh-coordinator"].records.k.note, "kept");
  assert.equal((await store.read("k")).value, "v");
});

test("a file that is empty is taken for one without members", async (t) => {
  const path = join(await folder(t), "credentials.json");
  for (const text of ["", " \n", "{}", "{ }"]) {
    await writeFile(path, text);
    await write(fileStore(path), "k", "v");
    assert.equal((await fileStore(path).read("k")).value, "v");
  }
});

const SECRET = "a-token-of-somebody";
const FOREIGN = {
  "is not JSON": ["store-format", `refresh_token = ${SECRET}`],
  "is cut off": ["store-format", `{ "refresh-coordinator": { "v": 1, "revision": "0a", "records": {"k": {"value": "${SECRET}`],
  "is no object": ["store-format", `["${SECRET}"]`],
  "has a member of our name that is another's": ["store-format", `{ "refresh-coordinator": "${SECRET}" }`],
  "has a record that is none": ["store-format", `{ "refresh-coordinator": { "v": 1, "revision": "0a", "records": { "k": "${SECRET}" } } }`],
  "has a revision that would be a path": ["store-format", '{ "refresh-coordinator": { "v": 1, "revision": "../up", "records": {} } }'],
  "was written by a newer version": ["store-newer", `{ "refresh-coordinator": { "v": 2, "sessions": "${SECRET}" } }`],
};

for (const [what, [code, text]] of Object.entries(FOREIGN)) {
  test(`a file that ${what} is refused, and stays as it is`, async (t) => {
    const place = await folder(t);
    const path = join(place, "credentials.json");
    await writeFile(path, text);
    await chmod(path, 0o755);
    const store = fileStore(path);
    const events = [];
    const auth = new RefreshCoordinator({ clientId: "cli", tokenEndpoint: "http://127.0.0.1:1/token", store });
    t.after(() => auth.close());
    auth.subscribe((event) => event && events.push(event));
    const tokens = { refresh_token: "r", access_token: "a", expires_in: 300 };
    const calls = {
      read: () => store.read("k"),
      write: () => store.write("k", "v", { ifVersion: null }),
      getAccessToken: () => auth.getAccessToken(),
      setTokens: () => auth.setTokens(tokens),
    };
    for (const [name, call] of Object.entries(calls)) {
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof StoreError, name);
        assert.equal(error.code, code, name);
        const said = [error, error.cause].filter(Boolean).map((each) => each.message).join();
        assert.ok(said.includes(path), said);
        for (const token of [SECRET, SECRET.slice(0, 8)]) assert.equal(said.includes(token), false, said);
        return true;
      });
    }
    assert.equal(await readFile(path, "utf8"), text);
    assert.equal(await modeOf(path), 0o755);
    assert.deepEqual(await namesIn(place), ["credentials.json"]);
    assert.ok(events.some(({ type, what }) => type === "degraded" && what === "store"));
  });
}

test("a file that somebody writes without renaming is not read by halves", async (t) => {
  const path = join(await folder(t), "credentials.json");
  t.after(() => (promises.readFile = readFile));
  await write(fileStore(path), "k", "v");
  const whole = await readFile(path, "utf8");
  for (const half of ["", whole.slice(0, 40)]) {
    await writeFile(path, half);
    const seen = new Promise((resolve) => {
      promises.readFile = async (...values) => {
        const text = await readFile(...values);
        resolve();
        return text;
      };
    });
    const reading = fileStore(path).read("k");
    await seen;
    await writeFile(path, whole);
    assert.equal((await reading).value, "v");
  }
});

test("the file is named by a path or a URL, and a wrong option by its name", async (t) => {
  const place = await folder(t);
  const path = join(place, "a b#c.json");
  await write(fileStore(pathToFileURL(path)), "k", "v");
  assert.equal((await fileStore(path).read("k")).value, "v");
  for (const wrong of [undefined, null, "", 7, {}, new URL("https://example.com/")]) assert.throws(() => fileStore(wrong), TypeError);
  for (const wrong of [null, "credentials.json", 7]) assert.throws(() => fileStore(path, wrong), { name: "TypeError", message: /options/ });
  for (const [options, name] of [[{ lock: true }, /`lock`/], [{ lock: {} }, /`lock`/], [{ lag: -1 }, /`lag`/], [{ lag: "1" }, /`lag`/]]) {
    assert.throws(() => fileStore(path, options), { name: "TypeError", message: name });
  }
  await assert.rejects(fileStore(path).write("another", null, { ifVersion: null }), { name: "TypeError", message: /`value`/ });
  assert.equal((await fileStore(path).read("k")).value, "v");
});
