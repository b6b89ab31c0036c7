// Which test proves which row: a test says it in its name, `K-1 K-2: what happens`. In Rust, where names have no such letters,
// the line above `#[test]` says it: `/// K-1 K-2: what happens`.

import { readFileSync, readdirSync } from "node:fs";

const FOLDERS = ["tests/conformance", "tests/node", "tests/browser"];
const RUST_FOLDERS = ["tests/replies"];

const ID = String.raw`(?:MM|MB|IM|CL|N)-[A-Z]?\d+(?:pr)?`;
/** A test that is skipped or commented out is no test. */
const JAVASCRIPT = new RegExp(String.raw`^[ \t]*test\(\s*(["'\u0060])(${ID}(?:[ ,]+${ID})*): (.+?)\1\s*,`, "gm");
const RUST = new RegExp(String.raw`^[ \t]*/// (${ID}(?:[ ,]+${ID})*): .*\n\s*#\[test\]\n\s*fn (\w+)`, "gm");

/** @returns {{ file: string, name: string, ids: string[] }[]} */
export function conformanceTests() {
  const found = [];
  for (const file of files(FOLDERS, ".test.mjs")) {
    for (const [, , ids, name] of text(file).matchAll(JAVASCRIPT)) found.push({ file, name: plain(name), ids: split(ids) });
  }
  for (const file of files(RUST_FOLDERS, ".rs")) {
    for (const [, ids, name] of text(file).matchAll(RUST)) found.push({ file, name: name.replaceAll("_", " "), ids: split(ids) });
  }
  return found;
}

function files(folders, ending) {
  return folders.flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith(ending)).sort().map((name) => `${folder}/${name}`));
}

const text = (file) => readFileSync(file, "utf8");
const split = (ids) => ids.split(/[ ,]+/);
/** What a loop puts into the name is left open, and what a string has to escape is not. */
const plain = (name) => name.replace(/\$\{[^}]*\}/g, "…").replace(/\\(.)/g, "$1");
