// Where the runtimes are that npm has installed.

import { existsSync } from "node:fs";
import { join } from "node:path";

import { command } from "./project.mjs";

/** Node of a major version. */
export async function node(row, major) {
  const name = `node-${major}-${process.platform}-${process.arch}`;
  const path = join(await row.project("runtimes"), "node_modules", name, "bin", "node");
  if (!existsSync(path)) throw new Error(`fixtures/runtimes/package.json has no ${name}`);
  return path;
}

/** Deno or Bun. */
export async function runtime(row, name) {
  return command(await row.project("runtimes"), name.toLowerCase());
}
