// One of the processes that share a file: does what it is told, call by call, and can be stopped in the middle of a write.

import { execFileSync } from "node:child_process";
import { promises, writeSync } from "node:fs";

import { RefreshCoordinator } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";

const { path, store: how, options, umask, ahead = 0, lacks = [], statfs, whole } = JSON.parse(process.argv[2]);
if (umask !== undefined) process.umask(umask);
// As on a disk that cannot do it.
for (const operation of lacks) promises[operation] = () => Promise.reject(Object.assign(new Error("not here"), { code: "EPERM" }));
if (statfs !== undefined) promises.statfs = async () => ({ type: statfs });

const lock = whole ? { lock: await wholeFiles() } : {};
const store = fileStore(path, { ...how, ...lock });
const clock = {
  now: () => Date.now() + ahead,
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
    }),
};
const auth = options && new RefreshCoordinator({ ...options, store, clock });
auth?.subscribe((event) => event && process.send({ event }));

/** The next time it comes to this operation, it says so, and goes on when it is told to. */
let stopAt;
let goOn;
for (const operation of ["link", "open", "rename"]) halt(promises, operation, (original, values) => original(...values));
const handle = await promises.open(process.execPath);
halt(Object.getPrototypeOf(handle), "writeFile", async (original, [text]) => {
  await original(text.slice(text.length / 2));
}, (original, [text]) => original(text.slice(0, text.length / 2)));
await handle.close();

function halt(object, operation, resumed, before = () => {}) {
  const original = object[operation];
  object[operation] = async function (...values) {
    const call = (...given) => original.apply(this, given);
    if (stopAt !== operation || (operation === "open" && !String(values[0]).endsWith(".tmp"))) return call(...values);
    stopAt = undefined;
    await before(call, values);
    const gone = new Promise((resolve) => (goOn = resolve));
    process.send({ at: operation });
    await gone;
    return resumed(call, values);
  };
}

const leave = new Map();
const commands = {
  auth: (member, ...values) => auth[member](...values),
  // A channel makes null of what is undefined.
  store: (member, ...values) => store[member](...values.map((value) => value ?? undefined)),
  sh: (script) => void execFileSync("sh", ["-c", script]),
  stopAt: (operation) => void (stopAt = operation),
  goOn: () => goOn(),
  /** Resolves when it has the lock, and keeps it until `release`. `patience` is in milliseconds. */
  lock: (name, more) =>
    new Promise((resolve, reject) => {
      const { ifAvailable, patience } = more ?? {};
      const signal = patience && AbortSignal.timeout(patience);
      const held = (granted) => {
        resolve(granted !== null);
        return granted && new Promise((release) => leave.set(name, release));
      };
      store.locks.request(name, { ifAvailable, signal }, held).catch((error) => reject(error));
    }),
  release: (name) => leave.get(name)(),
  /** Counts without end, in both keys by turns, and says each step when it is done. */
  async count(keys) {
    for (let step = 0; ; step += 1) {
      const key = keys[step % keys.length];
      const there = await store.read(key);
      const next = Number(there?.value ?? 0) + 1;
      if ((await store.write(key, String(next), { ifVersion: there?.version ?? null })) !== undefined) writeSync(1, `${key} ${next}\n`);
    }
  },
};

process.on("message", async ({ id, command, values }) => {
  try {
    process.send({ id, result: (await commands[command](...values)) ?? null });
  } catch (error) {
    process.send({ id, error: { ...error, name: error.name, message: error.message, cause: undefined } });
  }
});
process.once("disconnect", () => process.exit());
process.send("ready");

/** The kernel's locks as macOS has them. */
async function wholeFiles() {
  const { default: kernel } = await import("fs-native-extensions");
  return {
    tryLock(fd, offset = 0, length = 0) {
      if (offset !== 0 || length !== 0) throw Object.assign(new Error("whole files only"), { code: "EINVAL" });
      return kernel.tryLock(fd);
    },
  };
}
