// The keys in the keyring: one for each session, made before the value that needs it, and removed after the value that replaces it.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import test from "node:test";

import { keyringStore } from "refresh-coordinator/stores/keyring";

import { scene } from "./keyring/scene.mjs";

test("what is not needed any more leaves the keyring: the key of a value that was deleted, and one that came too late", async (t) => {
  const { storeAt, entries } = await scene(t);
  const before = await entries();
  const [one, other] = [storeAt(), storeAt()];
  const first = await Promise.all([one, other].map((store, index) => store.write("k", `value ${index}`, { ifVersion: null })));
  assert.equal(first.filter(Boolean).length, 1);
  await storeAt().write("k", "too late", { ifVersion: null });
  await storeAt().write("another", "too early", { ifVersion: "1" });
  assert.ok((await entries()).length <= before.length + 2, "no key is made for what cannot be written");
  const [late] = first[0] === undefined ? [one, other] : [other, one];
  const { value, version } = await late.read("k");
  assert.match(value, /^value [01]$/);
  const second = await late.write("k", "once more", { ifVersion: version });
  assert.equal((await storeAt().read("k")).value, "once more");
  await until(async () => (await entries()).length === before.length + 1);
  await late.write("k", undefined, { ifVersion: second });
  await until(async () => (await entries()).length === before.length);
  assert.deepEqual(await entries(), before);
});

test("whoever reads a value while it is replaced, and its key removed, has the newer one", async () => {
  const file = memoryFile();
  const keys = new Map();
  const entry = memoryKeyring(keys);
  const open = () => keyringStore({ service: "a test", file, entry });
  const version = await open().write("k", "the older", { ifVersion: null });
  const [older] = keys.keys();
  const replacing = async () => {
    // A sign-in that could not have the older key.
    const deaf = (service, account) => (account === older ? { ...entry(service, account), getPassword: () => null } : entry(service, account));
    await keyringStore({ service: "a test", file, entry: deaf }).write("k", "the newer", { ifVersion: version });
    await until(async () => !keys.has(older));
  };
  let looks = 0;
  const late = {
    ...file,
    async read(key) {
      const found = await file.read(key);
      looks += 1;
      // Between the reader's look at the file and its look into the keyring.
      if (looks === 1) await replacing();
      return found;
    },
  };
  assert.equal((await keyringStore({ service: "a test", file: late, entry }).read("k")).value, "the newer");
  assert.ok(looks > 1);
});

test("a keyring that asks the user for longer than a write can wait: the file has the value, and a refresh after it waits no more", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let asked = 0;
  let answer;
  const asking = () => {
    asked += 1;
    return new Promise((resolve) => (answer = resolve));
  };
  const stored = new Map();
  const file = memoryFile();
  const store = keyringStore({ service: "a test", file, entry: asking });
  const writing = store.write("k", "the sign-in", { ifVersion: null });
  await until(async () => asked === 1);
  t.mock.timers.tick(3_000);
  const version = await writing;
  assert.equal((await file.read("k")).value, "the sign-in");
  const next = store.write("k", "the claim", { ifVersion: version });
  // It is looked at once, to see whether the key has come.
  await until(async () => asked > 1 || (t.mock.timers.tick(0), (await file.read("k")).value === "the claim"));
  assert.equal(asked, 1, "it is asked once");
  answer({ getPassword: () => stored.get("k"), setPassword: (text) => stored.set("k", text), deletePassword() {} });
  await until(async () => stored.size === 1);
  await new Promise(setImmediate);
  await store.write("k", "what it has got", { ifVersion: await next });
  assert.match((await file.read("k")).value, /^keyring1\./);
  assert.equal((await store.read("k")).value, "what it has got");
});

test("a keyring that asks the user before it says a key: whoever signs in waits once, and who has answered has the value", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const entry = memoryKeyring();
  const file = memoryFile();
  const version = await keyringStore({ service: "a test", file, entry }).write("k", "the session", { ifVersion: null });

  const answers = [];
  const asking = (...name) => ({ ...entry(...name), getPassword: () => new Promise((resolve) => answers.push(() => resolve(entry(...name).getPassword()))) });
  const [store, other] = [0, 1].map(() => keyringStore({ service: "a test", file, entry: asking }));
  const readings = [store.read("k"), store.read("k"), other.read("k")].map((reading) => reading.catch((error) => error));
  await until(async () => answers.length === 1);
  t.mock.timers.tick(3_000);
  for (const error of await Promise.all(readings)) assert.deepEqual([error.code, error.version], ["store-sealed", version]);
  // It is asked once by the process, and answers the store that was first.
  answers[0]();
  assert.equal((await store.read("k")).value, "the session");

  const signIn = other.write("k", "another session", { ifVersion: version });
  await until(async () => (t.mock.timers.tick(0), (await file.read("k")).value === "another session"));
  assert.notEqual(await signIn, undefined);
  assert.equal(answers.length, 1);
});

test("while a keyring owes an answer, no other store asks, nor one of a copy of the package that is CommonJS", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const answers = [];
  const asking = () => new Promise((resolve) => answers.push(() => resolve({ getPassword: () => null, setPassword() {}, deletePassword() {} })));
  const { keyringStore: common } = createRequire(import.meta.url)("refresh-coordinator/stores/keyring");
  assert.notEqual(common, keyringStore);
  const write = (make) => make({ service: "a test", file: memoryFile(), entry: asking }).write("k", "a value", { ifVersion: null });
  const first = write(keyringStore);
  await until(async () => answers.length === 1);
  const waiting = [write(keyringStore), write(common)];
  await new Promise(setImmediate);
  t.mock.timers.tick(3_000);
  assert.deepEqual(await Promise.all([first, ...waiting]), ["1", "1", "1"]);
  // Nobody waits again.
  assert.deepEqual(await Promise.all([write(keyringStore), write(common)]), ["1", "1"]);
  assert.equal(answers.length, 1);
  answers[0]();
  await new Promise(setImmediate);
  const last = write(common);
  await until(async () => answers.length === 2);
  answers[1]();
  assert.equal(await last, "1");
});

test("a keyring that does not answer in time is not asked by those whose time is up, either", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const answers = [];
  const asking = () => new Promise((resolve) => answers.push(() => resolve({ getPassword: () => null, setPassword() {}, deletePassword() {} })));
  const write = () => keyringStore({ service: "a test", file: memoryFile(), entry: asking }).write("k", "a value", { ifVersion: null });
  const first = write();
  await until(async () => answers.length === 1);
  const others = [write(), write()];
  await new Promise(setImmediate);
  t.mock.timers.tick(2_000);
  // Slow, and still an answer: the next one has its turn.
  answers[0]();
  await until(async () => answers.length === 2);
  t.mock.timers.tick(1_000);
  assert.deepEqual(await Promise.all([first, ...others]), ["1", "1", "1"]);
  answers[1]();
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  assert.equal(answers.length, 2);
});

test("a keyring that says no: a read asks, and the write after it does not, not even to remove what it replaces", async () => {
  const entry = memoryKeyring();
  const file = memoryFile();
  const version = await keyringStore({ service: "a test", file, entry }).write("k", "the session", { ifVersion: null });
  let asked = 0;
  const refusing = () => {
    asked += 1;
    throw new Error("the user has said no");
  };
  const store = keyringStore({ service: "a test", file, entry: refusing });
  await assert.rejects(store.read("k"), { code: "store-sealed", version });
  assert.notEqual(await store.write("k", "another session", { ifVersion: version }), undefined);
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  assert.equal(asked, 1);
  assert.equal((await file.read("k")).value, "another session");
});

test("what is wrong with an option is said by name", () => {
  const file = memoryFile();
  for (const [options, name] of [
    [undefined, "service"],
    [{ file }, "service"],
    [{ service: "", file }, "service"],
    [{ service: "s", account: 5, file }, "account"],
    [{ service: "s" }, "file"],
    [{ service: "s", file: "credentials.json" }, "file"],
    [{ service: "s", file, entry: {} }, "entry"],
    [{ service: "s", file, fallback: "none" }, "fallback"],
  ]) {
    assert.throws(() => keyringStore(options), (error) => error instanceof TypeError && error.message.includes(`\`${name}\``));
  }
});

/** The `entry` of a keyring that lasts as long as the test, and says at once what it knows. */
function memoryKeyring(keys = new Map()) {
  return (_service, account) => ({
    getPassword: () => keys.get(account),
    setPassword: (text) => void keys.set(account, text),
    deletePassword: () => void keys.delete(account),
  });
}

function memoryFile() {
  let [row, versions] = [undefined, 0];
  return {
    read: async () => row,
    async write(_key, value, { ifVersion }) {
      if ((row?.version ?? null) !== ifVersion) return undefined;
      versions += 1;
      row = value === undefined ? undefined : { value, version: String(versions) };
      return String(versions);
    },
  };
}

/** Looks again and again, between the steps of whatever is under way. */
async function until(holds) {
  for (let looks = 0; !(await holds()); looks += 1) {
    assert.ok(looks < 20_000, "it does not come");
    await new Promise(setImmediate);
  }
}
