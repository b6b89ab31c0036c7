// `npm test`: one named step after the other, then two lanes of them, stopped by the first that fails. `--checks` runs the static half only.
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

const counts = /^ℹ (tests|pass|fail|cancelled|skipped|todo) /;

/** Two lanes at once: browsers and servers wait most of the time. Within a lane one step follows the other. */
const lanes = [
  [
    { name: "cargo test", run: ["cargo", "test", "--profile", "search", "--features", "mutants"], summary: /^test result: / },
    // Nothing here waits for time: a file that takes minutes hangs.
    { name: "node:test", run: nodeTest({ limit: 180 }, "tests/node", "tests/next-auth", "tests/conformance"), summary: counts },
    { name: "processes on one credential file", run: nodeTest({ limit: 300, atOnce: 1 }, "tests/processes"), summary: counts },
    // A process and the database stand still for longer than an intent lives. `npm run chaos:cluster` has a thousand sessions, and Postgres.
    { name: "cluster on Redis", run: nodeTest({ limit: 300, atOnce: 1 }, "tests/cluster"), summary: counts },
  ],
  [
    // Each file has a browser of its own, and waits for it most of the time. The limit is that of a whole file.
    { name: "tabs in Chromium, Firefox and WebKitGTK", run: nodeTest({ limit: 400, atOnce: 2 }, "tests/browser"), summary: counts },
    // The packed tarball, where it is soon tried. `npm run test:hosts` has all hosts.
    { name: "hosts", run: [node, "tests/hosts/run.mjs", "--quick"], summary: /^[✔✖] / },
  ],
];

const only = process.argv.includes("--checks");
const started = performance.now();
const summaries = [];
const running = new Set();

for (const step of checks) await take(step);
if (!only) await Promise.all(lanes.map(lane));

console.log(`\n✔ every step passed in ${seconds(started)}`);
for (const { name, summary } of summaries) console.log(`\n${name}\n${summary.join("\n")}`);

async function lane(steps) {
  for (const step of steps) await take(step);
}

/** Runs a step, and ends everything if it fails. What it prints is shown when it is over: two at once could not be read. */
async function take(step) {
  console.log(`\n▶ ${step.name}`);
  const begun = performance.now();
  const { code, text } = await run(step);
  process.stdout.write(text);
  if (code !== 0) {
    console.error(`\n✖ ${step.name} failed with ${code}, ${seconds(started)} after the start: ${step.run.join(" ")}`);
    for (const other of running) other.kill();
    process.exit(1);
  }
  console.log(`✔ ${step.name} (${seconds(begun)})`);
  if (step.summary) summaries.push({ name: step.name, summary: stripVTControlCharacters(text).split("\n").filter((line) => step.summary.test(line)) });
}

/** The command for the test files of some folders: a limit in seconds, and how many files at once, if not as many as there are cores. */
function nodeTest({ limit, atOnce }, ...folders) {
  const some = atOnce === undefined ? [] : [`--test-concurrency=${atOnce}`];
  return [node, "--test", ...some, "--test-reporter=spec", `--test-timeout=${limit * 1000}`, ...folders.flatMap(testsIn)];
}

function testsIn(folder) {
  return readdirSync(folder).filter((file) => file.endsWith(".test.mjs")).sort().map((file) => `${folder}/${file}`);
}

/** Resolves with what a step said on both its streams, and how it ended. */
function run({ run: [command, ...args], env }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (more) => (text += more));
    const ended = (code) => {
      running.delete(child);
      resolve({ code, text });
    };
    child.on("error", (error) => ended(error.message));
    child.on("close", (code, signal) => ended(code ?? signal));
  });
}

function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
