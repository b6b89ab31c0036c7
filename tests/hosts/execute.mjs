// Runs a program to its end, or until it is told to stop.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { PATIENCE } from "./patience.mjs";

/** Its own settings, and none that the programs around us have passed on. */
const environment = () => {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|INIT_CWD$)/i.test(name));
  return { ...Object.fromEntries(own), CI: "1", NEXT_TELEMETRY_DISABLED: "1", WRANGLER_SEND_METRICS: "false", DENO_NO_UPDATE_CHECK: "1" };
};

/** Resolves with what it printed, `stdout` and `stderr`; rejects, with all it has said, if it fails. */
export function execute(command, args, { cwd, env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...environment(), ...env }, stdio: ["ignore", "pipe", "pipe"], timeout: PATIENCE });
    const said = { stdout: "", stderr: "" };
    for (const name of Object.keys(said)) child[name].setEncoding("utf8").on("data", (text) => (said[name] += text));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) return resolve(said);
      reject(new Error(`${[command, ...args].join(" ")} ended with ${code ?? signal}\n${said.stdout}${said.stderr}`.slice(0, 8_000)));
    });
  });
}

/** Starts a server and resolves with the first match in what it prints. It ends with the row. */
export function serve(row, command, args, { cwd, env, ready }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...environment(), ...env }, stdio: ["ignore", "pipe", "pipe"] });
    const ended = new Promise((done) => child.on("close", done));
    row.after(() => {
      child.kill();
      return ended;
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        said += `${line}\n`;
        const found = ready.exec(line);
        if (found) resolve(found);
      });
    }
    child.on("error", reject);
    child.on("close", (code) => reject(new Error(`${[command, ...args].join(" ")} ended with ${code}\n${said}`)));
  });
}
