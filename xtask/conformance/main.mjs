// Checks that every behaviour in `tests/conformance/rows.mjs` has a test that names it, and that TABLE.md says so.
// `--write` writes the table.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import * as rows from "../../tests/conformance/rows.mjs";
import { table } from "./table.mjs";
import { conformanceTests } from "./tests.mjs";

process.chdir(fileURLToPath(new URL("../..", import.meta.url)));

const TABLE = "tests/conformance/TABLE.md";

const { markdown, complaints, counts } = table(rows, conformanceTests());
if (process.argv.includes("--write")) writeFileSync(TABLE, markdown);
else if (read(TABLE) !== markdown) complaints.push(`${TABLE} is out of date: node xtask/conformance/main.mjs --write`);
for (const complaint of complaints) console.error(complaint);
console.log(counts);
process.exitCode = complaints.length > 0 ? 1 : 0;

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
