// `npm test`: one named step after the other, stopped by the first that fails. `--checks` runs the static half only.
// At the end the counts of both test runners are said again, together with the time.

import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const WASM = ["--target", "wasm32-unknown-unknown"];
const STRICT = ["--", "-D", "warnings"];
const node = process.execPath;

const checks = [
  { name: "format", run: ["cargo", "fmt", "--all", "--check"] },
  { name: "format, fuzz targets", run: ["cargo", "fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"] },
  { name: "clippy, native", run: ["cargo", "clippy", "--workspace", "--all-targets", "--all-features", ...STRICT] },
  { name: "clippy, wasm", run: ["cargo", "clippy", "--lib", ...WASM, ...STRICT] },
  { name: "documentation", run: ["cargo", "doc", "--no-deps", "--lib", "--document-private-items", ...WASM], env: { RUSTDOCFLAGS: "-D warnings" } },
  { name: "types", run: [node, "node_modules/typescript/bin/tsc", "--project", "tsconfig.json"] },
  // The declarations of Auth.js itself do not compile without its optional peers, so theirs are skipped.
  { name: "types, Auth.js", run: [node, "node_modules/typescript/bin/tsc", "--project", "tests/types/next-auth/tsconfig.json"] },
  { name: "package", run: [node, "node_modules/publint/src/cli.js", "--strict"] },
  { name: "conformance table", run: [node, "xtask/conformance/main.mjs"] },
  { name: "arrows and the build", run: ["cargo", "test", "--package", "xtask"] },
];

const tests = [
  { name: "cargo test", run: ["cargo", "test", "--profile", "search", "--features", "mutants"], summary: /^test result: / },
  {
    name: "node:test",
    // Nothing here waits for time: a file that takes minutes hangs.
    run: [node, "--test", "--test-reporter=spec", "--test-timeout=180000", ...testsIn("tests/node", "tests/next-auth", "tests/conformance")],
    summary: /^ℹ (tests|pass|fail|cancelled|skipped|todo) /,
  },
  {
    name: "tabs in Chromium, Firefox and WebKitGTK",
    // Each file has a browser of its own, and waits for it most of the time. The limit is that of a whole file.
    run: [node, "--test", "--test-concurrency=2", "--test-reporter=spec", "--test-timeout=400000", ...testsIn("tests/browser")],
    summary: /^ℹ (tests|pass|fail|cancelled|skipped|todo) /,
  },
  {
    name: "processes on one credential file",
    run: [node, "--test", "--test-concurrency=1", "--test-reporter=spec", "--test-timeout=300000", ...testsIn("tests/processes")],
    summary: /^ℹ (tests|pass|fail|cancelled|skipped|todo) /,
  },
  {
    name: "cluster on Redis",
    // A process and the database stand still for longer than an intent lives. `npm run chaos:cluster` has a thousand sessions, and Postgres.
    run: [node, "--test", "--test-concurrency=1", "--test-reporter=spec", "--test-timeout=300000", ...testsIn("tests/cluster")],
    summary: /^ℹ (tests|pass|fail|cancelled|skipped|todo) /,
  },
  // The packed tarball, where it is soon tried. `npm run test:hosts` has all hosts.
  { name: "hosts", run: [node, "tests/hosts/run.mjs", "--quick"], summary: /^[✔✖] / },
];

const only = process.argv.includes("--checks");
const started = performance.now();
const summaries = [];

for (const step of only ? checks : [...checks, ...tests]) {
  console.log(`\n▶ ${step.name}`);
  const begun = performance.now();
  const { code, summary } = await run(step);
  if (code !== 0) {
    console.error(`\n✖ ${step.name} failed with ${code}, ${seconds(started)} after the start: ${step.run.join(" ")}`);
    process.exit(1);
  }
  console.log(`✔ ${step.name} (${seconds(begun)})`);
  if (step.summary) summaries.push({ name: step.name, summary });
}

console.log(`\n✔ every step passed in ${seconds(started)}`);
for (const { name, summary } of summaries) console.log(`\n${name}\n${summary.join("\n")}`);

function testsIn(...folders) {
  const tests = (folder) => readdirSync(folder).filter((file) => file.endsWith(".test.mjs")).sort().map((file) => `${folder}/${file}`);
  return folders.flatMap(tests);
}

/** Runs a step, showing what it prints, and keeps the lines of its summary. */
function run({ run: [command, ...args], env, summary: wanted }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", wanted ? "pipe" : "inherit", "inherit"] });
    const summary = [];
    let rest = "";
    child.stdout?.setEncoding("utf8").on("data", (text) => {
      process.stdout.write(text);
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      summary.push(...lines.map(stripVTControlCharacters).filter((line) => wanted.test(line)));
    });
    child.on("error", (error) => resolve({ code: error.message, summary }));
    child.on("close", (code, signal) => resolve({ code: code ?? signal, summary }));
  });
}

function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
