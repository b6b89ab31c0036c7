// Programs as child processes that speak in lines of JSON, whatever runtime they run on.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Where the programs of this folder are for this Node. Other runtimes have copies of them. */
export const here = Object.freeze({
  command: [process.execPath],
  folder: fileURLToPath(new URL("member", import.meta.url)),
});

/** Whatever ends this process ends them too. */
const children = new Set();
process.once("exit", () => children.forEach((child) => child.kill("SIGKILL")));
// A test that takes too long is ended so.
process.once("SIGTERM", () => process.exit(143));

/** Starts one. `hear` is given each line; `gone` is settled with how it ended, and with all it said that was no line of JSON. */
export function start({ command: [binary, ...first], folder }, file, settings, hear) {
  const child = spawn(binary, [...first, `${folder}/${file}`, JSON.stringify(settings)], { cwd: folder, stdio: ["pipe", "pipe", "pipe"] });
  // It may be gone.
  child.stdin.on("error", () => {});
  const said = [];
  child.stderr.setEncoding("utf8").on("data", (text) => said.push(text));
  const heard = new Promise((resolve) => {
    createInterface({ input: child.stdout })
      .on("line", (line) => (line.startsWith("{") ? hear(JSON.parse(line)) : said.push(line)))
      .once("close", resolve);
  });
  const ended = new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  children.add(child);
  const gone = Promise.all([ended, heard]).then(([how]) => (children.delete(child), { how, said: said.join("") }));
  return {
    gone,
    tell: (line) => child.stdin.write(`${JSON.stringify(line)}\n`),
    end: () => child.stdin.end(),
    signal: (signal) => child.kill(signal),
  };
}
