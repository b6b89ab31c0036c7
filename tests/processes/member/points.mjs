// The points of an exchange at which a process ends itself, or stops, if that is what a test has laid out there: a file whose name
// says what and where. Whoever comes first takes it.
//
// | point | |
// | --- | --- |
// | `claim` | in the middle of writing the intent |
// | `request` | the intent is written, and nothing is sent |
// | `reply` | the reply is here, and nothing of it is written |
// | `commit` | in the middle of writing what the reply was |
//
// Those in the middle have the name of the file operation before which it happens: `claim rename`. Of what is then written, half is.

import { promises, readdirSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const SIGNALS = { kill: "SIGKILL", stop: "SIGSTOP" };

/** `say` must not return before it is said. */
export function points(folder, say) {
  let writing;

  /** Does what is laid out here. `first` is done before. */
  function reach(point, first = () => {}) {
    // `<point>, <deed>, <number>`
    const laid = readdirSync(folder).find((name) => name.startsWith(`${point}, `) && !name.endsWith("taken"));
    if (laid === undefined) return;
    try {
      renameSync(join(folder, laid), join(folder, `${laid}, taken`));
    } catch {
      return; // by another process
    }
    first();
    const [, deed] = laid.split(", ");
    say({ does: deed, at: point });
    process.kill(process.pid, SIGNALS[deed]);
  }

  /** One more file operation. */
  const step = (operation, half) => {
    if (writing === undefined) return;
    const again = writing.done.has(operation);
    writing.done.add(operation);
    reach(`${writing.what} ${operation}${again ? " again" : ""}`, half);
  };
  watchOperations(step);

  return {
    /** The store, whose writes have a middle. */
    store: (store) =>
      Object.assign(Object.create(store), {
        read: (key) => store.read(key),
        write(key, value, conditions) {
          // What a claim is, its intent says.
          const own = (writing = { what: value !== undefined && "intent" in JSON.parse(value) ? "claim" : "commit", done: new Set() });
          return store.write(key, value, conditions).finally(() => writing === own && (writing = undefined));
        },
        ...(store.watch && { watch: (key, listener) => store.watch(key, listener) }),
      }),

    async fetch(input, init) {
      say({ reached: "request" });
      reach("request");
      const response = await fetch(input, init);
      reach("reply");
      return response;
    },
  };
}

/** Is told before each operation that changes a file or a folder; with what is to be written first, if that is half of it. */
function watchOperations(step) {
  const watched = (object, names) => {
    for (const name of names) {
      const original = object[name];
      object[name] = function (...values) {
        step(name);
        return original.apply(this, values);
      };
    }
  };
  watched(promises, ["mkdir", "link", "rename", "unlink"]);
  const { open } = promises;
  promises.open = async (...values) => {
    step("open");
    const handle = await open(...values);
    watched(handle, ["sync", "close"]);
    const { writeFile } = handle;
    handle.writeFile = function (text) {
      const bytes = Buffer.from(text);
      let written = 0;
      step("writeFile", () => (written = writeSync(handle.fd, bytes.subarray(0, bytes.length >> 1))));
      return writeFile.call(this, bytes.subarray(written));
    };
    return handle;
  };
}
