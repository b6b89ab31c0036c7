// A folder for one test, and the processes that share a file in it.

import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { temporaryFolder } from "../temporary-folder.mjs";

const PROGRAM = fileURLToPath(new URL("process.mjs", import.meta.url));

/** A folder that goes with the test. */
export const folder = (t) => temporaryFolder(t, "file");

/** What is in a folder, but for the lock. */
export const namesIn = async (path) => (await readdir(path)).filter((name) => !name.endsWith(".lock")).sort();

export const json = async (path) => JSON.parse(await readFile(path, "utf8"));

/**
 * Starts a process. It ends with the test, by itself or not.
 *
 * @param settings what the program is told
 * @param mounts a script that makes the file system as only this process has it
 */
export async function start(t, settings, { mounts, program = PROGRAM } = {}) {
  const node = [process.execPath, program, JSON.stringify(settings)];
  const [command, ...args] = mounts === undefined ? node : apart(mounts, node);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const gone = once(child, "exit");
  const errors = [];
  child.stderr.setEncoding("utf8").on("data", (text) => errors.push(text));
  const calls = new Map();
  const told = new EventEmitter();
  const events = [];
  const said = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    said.push(line);
    told.emit("line", line);
  });
  child.on("message", ({ id, result, error, event, at }) => {
    if (event !== undefined) {
      events.push(event);
      told.emit("event", event);
    }
    if (at !== undefined) told.emit("halt", at);
    const { resolve, reject } = calls.get(id) ?? {};
    calls.delete(id);
    if (error !== undefined) reject?.(Object.assign(new Error(error.message), error));
    else resolve?.(result ?? undefined);
  });
  t.after(async () => {
    child.kill("SIGKILL");
    await gone;
  });
  const [first] = await Promise.race([once(child, "message"), gone]);
  if (first !== "ready") throw new Error(`a process ended with ${first}: ${errors.join("")}`);

  let count = 0;
  const call = (command, ...values) =>
    new Promise((resolve, reject) => {
      count += 1;
      calls.set(count, { resolve, reject });
      child.send({ id: count, command, values });
    });
  const process_ = {
    call,
    gone,
    events,
    said,
    told,
    /** Has a member of the coordinator called. */
    auth: (member, ...values) => call("auth", member, ...values),
    read: (key) => call("store", "read", key),
    write: (key, value, ifVersion = null) => call("store", "write", key, value, { ifVersion }),
    /** Goes on with the write until it comes to this operation. */
    async writesUntil(operation, ...write) {
      const halted = once(told, "halt");
      await call("stopAt", operation);
      const written = process_.write(...write);
      written.catch(() => {});
      await halted;
      return { written };
    },
    goOn: () => call("goOn"),
    async kill(signal = "SIGKILL") {
      child.kill(signal);
      if (signal === "SIGKILL") await gone;
    },
    /** The first event of this kind, now or later. */
    async event(wanted) {
      for (;;) {
        const found = events.find((event) => Object.entries(wanted).every(([name, value]) => event[name] === value));
        if (found !== undefined) return found;
        await once(told, "event");
      }
    },
  };
  return process_;
}

/** A file system of its own: what is mounted there nobody else sees, and it goes with the process. */
function apart(mounts, command) {
  return ["unshare", "--map-root-user", "--mount", "sh", "-c", `${mounts}\nexec "$@"`, "sh", ...command];
}
