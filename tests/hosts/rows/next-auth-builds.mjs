// The same applications as Next.js makes them for production, with either of its bundlers: neither has anything to say about what is in
// the package, and the edge route comes with its WebAssembly as a file of its own. The types of the callback are compiled as well.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { built, hostOf, versions } from "../next-auth-app.mjs";

export const rows = Object.entries(versions).flatMap(([major, app]) =>
  ["Turbopack", "webpack"].map((bundler) => ({ name: `NextAuth ${major}, built with ${bundler}`, run: (row) => build(row, app, bundler) })),
);

async function build(row, app, bundler) {
  const cwd = await built(row, app, bundler);
  const manifest = JSON.parse(await readFile(join(cwd, bundler, "server", "middleware-manifest.json"), "utf8"));
  assert.equal(manifest.functions["/edge/route"].wasm.length, 1);
  return { host: await hostOf(cwd), did: "no warning, and one WebAssembly file for the edge route" };
}
