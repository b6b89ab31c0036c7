// `tests/browser/PAINS.md` names, for each thing that users of other libraries suffer, the tests in which it happens here. They are there.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

const TABLE = new URL("../browser/PAINS.md", import.meta.url);

/** A test that is skipped or commented out is no test. */
const NAMED = /^[ \t]*test\(\s*(["'`])(.+?)\1\s*,/gm;
/** What the conformance table calls a test by, before what it says. */
const IDS = /^(?:[A-Z]{1,2}-\w+[ ,]+)*[A-Z]{1,2}-\w+: /;

/** The names of a file's tests. What a loop puts into one is left open, and what a string has to escape is not. */
function testsOf(file) {
  const names = [...readFileSync(new URL(file, TABLE), "utf8").matchAll(NAMED)].map(([, , name]) => name);
  return names.map((name) => name.replace(IDS, "").replace(/\$\{[^}]*\}/g, "…").replace(/\\(.)/g, "$1"));
}

/** The rows of all tables, each with the tests in its last column. */
function rows() {
  const lines = readFileSync(TABLE, "utf8").split("\n").filter((line) => line.startsWith("| ") && line.includes(".mjs)"));
  return lines.map((line) => ({ line, tests: [...line.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)].map(([, name, file]) => ({ name, file })) }));
}

test("each test that PAINS.md names is there", () => {
  for (const { line, tests } of rows()) {
    for (const { name, file } of tests) assert.ok(testsOf(file).includes(name), `${file} has no test "${name}", as this row says:\n${line}`);
  }
});

test("each of the thirty threads and each fault has a row with a test", () => {
  const [threads, more, faults] = readFileSync(TABLE, "utf8").split(/^## /m).slice(1, 4);
  const count = (section) => section.split("\n").filter((line) => /^\| .+\]\([^)]+\.mjs\) \|$/.test(line)).length;
  assert.deepEqual([threads, more, faults].map(count), [30, 7, 8]);
});
