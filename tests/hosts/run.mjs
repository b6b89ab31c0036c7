// `npm run test:hosts`: the package as it would be published, in the hosts it is for. Each row installs it in a project of
// its own kind, does a real refresh there, and is believed only if the authorization server saw the same.
//
// `--quick` runs the rows of `npm test`; other words are parts of names of rows.

import { readdir } from "node:fs/promises";

import { patiently } from "./patience.mjs";
import { Workshop } from "./project.mjs";

const quick = process.argv.includes("--quick");
const wanted = process.argv.slice(2).filter((word) => !word.startsWith("--"));

const folder = new URL("rows/", import.meta.url);
const files = (await readdir(folder)).sort();
const all = (await Promise.all(files.map((file) => import(new URL(file, folder))))).flatMap(({ rows }) => rows);
const rows = all
  .filter((row) => !quick || row.quick)
  .filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.toLowerCase().includes(word.toLowerCase())));

const workshop = await Workshop.open();
process.once("SIGINT", () => workshop.close().finally(() => process.exit(130)));
const results = [];
const said = new Set();
try {
  for (const row of rows) {
    const result = await outcome(row);
    results.push(result);
    console.log(`  ${result.passed ? "ok" : "FAILED"}  ${row.name} (${result.seconds} s)`);
    // What installs or builds a project fails in every row that needs it, and is said once.
    if (result.error && !said.has(result.error)) console.error(result.error);
    said.add(result.error);
  }
} finally {
  await workshop.close();
}

table([["", "row", "host", "what ran", "result", "s"], ...results.map(columns)]);
const failed = results.filter(({ passed }) => !passed).length;
console.log(`\n${failed === 0 ? "✔" : "✖"} ${results.length - failed} of ${results.length} rows passed`);
process.exitCode = failed === 0 && results.length > 0 ? 0 : 1;

/** Runs one row and tidies up after it. */
async function outcome({ name, run }) {
  const begun = performance.now();
  const open = [];
  const row = {
    tarball: () => workshop.tarball(),
    project: (fixture) => workshop.project(fixture),
    /** Is called when the row is over, the last one first. */
    after: (close) => void open.push(close),
  };
  let result;
  try {
    result = { passed: true, ...(await patiently(() => run(row))) };
  } catch (error) {
    result = { passed: false, error };
  }
  try {
    while (open.length > 0) await open.pop()();
  } catch (error) {
    result = { passed: false, error: result.error ?? error };
  }
  return { name, ...result, seconds: ((performance.now() - begun) / 1000).toFixed(1) };
}

function columns({ passed, name, host = "", did = "", error, seconds }) {
  const why = passed ? "passed" : `failed: ${String(error?.message ?? error).split("\n")[0].slice(0, 60)}`;
  return [passed ? "✔" : "✖", name, host, did, why, seconds];
}

function table(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  for (const line of lines) console.log(line.map((text, column) => text.padEnd(widths[column])).join("  ").trimEnd());
}
