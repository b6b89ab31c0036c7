// Where the runtimes are that npm has installed.

import { join } from "node:path";

import { command } from "./project.mjs";

/** Node of a major version. */
export async function node(row, major) {
  return join(await row.project("runtimes"), "node_modules", `node-${major}-${process.platform}-${process.arch}`, "bin", "node");
}

/** Deno or Bun. */
export async function runtime(row, name) {
  return command(await row.project("runtimes"), name.toLowerCase());
}
