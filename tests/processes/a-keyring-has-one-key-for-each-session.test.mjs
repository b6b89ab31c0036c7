// The keys in the keyring: one for each session, made before the value that needs it, and removed after the value that replaces it.

import assert from "node:assert/strict";
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
  const keys = new Map();
  const file = memoryFile();
  let removed;
  const entry = (_service, account) => ({
    async getPassword() {
      const found = keys.get(account);
      // Between the reader's look at the file and its look into the keyring.
      if (found === undefined || account !== removed) return found;
      removed = undefined;
      await replacing();
      return keys.get(account);
    },
    setPassword: (text) => void keys.set(account, text),
    deletePassword: () => void keys.delete(account),
  });
  const open = () => keyringStore({ service: "a test", file, entry });
  const version = await open().write("k", "the older", { ifVersion: null });
  const [older] = keys.keys();
  const replacing = async () => {
    // A sign-in that could not have the older key.
    const deaf = (service, account) => (account === older ? { ...entry(service, account), getPassword: () => null } : entry(service, account));
    await keyringStore({ service: "a test", file, entry: deaf }).write("k", "the newer", { ifVersion: version });
    await until(async () => !keys.has(older));
  };
  removed = older;
  assert.equal((await open().read("k")).value, "the newer");
  assert.equal(removed, undefined);
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
  const keys = new Map();
  const entry = (_service, account) => ({
    getPassword: () => keys.get(account),
    setPassword: (text) => void keys.set(account, text),
    deletePassword: () => void keys.delete(account),
  });
  const file = memoryFile();
  const version = await keyringStore({ service: "a test", file, entry }).write("k", "the session", { ifVersion: null });

  const answers = [];
  const asking = (...name) => ({ ...entry(...name), getPassword: () => new Promise((resolve) => answers.push(() => resolve(entry(...name).getPassword()))) });
  const [store, other] = [0, 1].map(() => keyringStore({ service: "a test", file, entry: asking }));
  const readings = [store.read("k"), store.read("k"), other.read("k")].map((reading) => reading.catch((error) => error));
  await until(async () => answers.length === 2);
  t.mock.timers.tick(3_000);
  for (const error of await Promise.all(readings)) assert.deepEqual([error.code, error.version], ["store-sealed", version]);
  // It is asked once by each process, and answers one of them.
  answers[0]();
  assert.equal((await store.read("k")).value, "the session");

  const signIn = other.write("k", "another session", { ifVersion: version });
  await until(async () => (t.mock.timers.tick(0), (await file.read("k")).value === "another session"));
  assert.notEqual(await signIn, undefined);
  assert.equal(answers.length, 2);
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
  ]) {
    assert.throws(() => keyringStore(options), (error) => error instanceof TypeError && error.message.includes(`\`${name}\``));
  }
});

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
