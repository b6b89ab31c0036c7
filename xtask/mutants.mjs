// `npm run mutants`: the core is changed in one place after the other (by cargo-mutants), and each change must be
// noticed: caught by a test, or explained in tests/explained-mutants.md. Takes an hour on two cores.
// `npm run mutants -- src/oauth/redact.rs` tries the mutants of the files whose path begins so.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { explanations, placeOf } from "./mutants/explanations.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const VERSION = "27.1.0";
const FOLDER = "target/mutants";
const TOOL = `${FOLDER}/tool/bin/cargo-mutants`;
const EXPLAINED = "tests/explained-mutants.md";

const quick = (...tests) => ({ targets: ["--lib", ...named(tests)], args: [] });
/** The searches run long: here it pays to compile for speed. */
const searching = (test, ...args) => ({ targets: named([test]), args, env: { CARGO_PROFILE_MUTANTS_OPT_LEVEL: "1" } });
/** What may catch the mutants of which files. Who survives one part is tried by the next, unless it is explained. */
const parts = [
  { name: "replies", files: "src/oauth/", ...quick("replies", "requests") },
  { name: "contexts", files: "src/protocol/", ...quick("contexts") },
  { name: "search", files: "src/protocol/", ...searching("every_interleaving", "--skip", "every_mutant", "--skip", "announcements") },
  // What searches longest, and finds least.
  { name: "rest of the search", files: "src/protocol/", ...searching("every_interleaving", "every_mutant", "announcements") },
  { name: "schedules", files: "src/protocol/", ...searching("schedules", "--skip", "every_mutant") },
];

const wanted = process.argv[2] ?? "src/";
const started = performance.now();

install();
mkdirSync(FOLDER, { recursive: true });
const all = JSON.parse(capture(["--list", "--json"])).filter(({ file }) => file.startsWith(wanted));
if (all.length === 0) fail(`there is no mutant in ${wanted}`);
const explained = explanations(readFileSync(EXPLAINED, "utf8")).filter(({ file }) => file.startsWith(wanted));
const isExplained = (mutant) => explained.some(({ place }) => place === placeOf(mutant));

const unheard = explained.filter(({ place }) => !all.some((mutant) => placeOf(mutant) === place));
for (const { place } of unheard) console.error(`✖ explained, and there is no such mutant: ${place}`);

let left = all;
for (const [number, part] of parts.entries()) {
  const tried = left.filter((mutant) => mutant.file.startsWith(part.files) && (isFirst(number) || !isExplained(mutant)));
  if (tried.length === 0) continue;
  console.log(`\n▶ ${part.name}: ${tried.length} mutants`);
  const survivors = attempt(part, tried);
  left = left.filter((mutant) => !tried.includes(mutant) || survivors.has(mutant.name));
}

const unexplained = left.filter((mutant) => !isExplained(mutant));
for (const mutant of unexplained) console.error(`✖ survives, and nobody explains why: ${mutant.name}\n  ${placeOf(mutant)}`);
const living = new Set(left.map(placeOf));
for (const { place } of explained.filter((row) => !living.has(row.place) && !unheard.includes(row))) console.log(`explained, and caught: ${place}`);
const minutes = Math.round((performance.now() - started) / 60_000);
console.log(`\n${all.length} mutants, ${all.length - left.length} caught or not compiled, ${left.length - unexplained.length} explained, ${unexplained.length} neither, ${minutes} min`);
if (unexplained.length + unheard.length > 0) process.exit(1);

function named(tests) {
  return tests.map((test) => `--test=${test}`);
}

/** Is this the first part for its files? */
function isFirst(number) {
  return parts.findIndex(({ files }) => files === parts[number].files) === number;
}

/** Tries the mutants with the tests of a part; says the names of those that survive. */
function attempt({ name, targets, args, env: more }, mutants) {
  const out = `${FOLDER}/${name}`;
  rmSync(out, { recursive: true, force: true });
  const files = [...new Set(mutants.map(({ file }) => file))].flatMap((file) => ["--file", file]);
  // One by one only if there are few: a command may only be so long.
  const chosen = isWhole(mutants) ? [] : mutants.flatMap(({ name }) => ["--re", `^${escaped(name)}$`]);
  // What an earlier part has left there was compiled from a mutant, and may look newer than its source.
  const target = { CARGO_TARGET_DIR: `${process.cwd()}/${FOLDER}/build` };
  spawnSync("cargo", ["clean", "--quiet", "--profile", "mutants", "--package", "refresh-coordinator"], { stdio: "inherit", env: { ...process.env, ...target } });
  // Cargo ends a test program with the first test that fails: a mutant that is caught once is caught.
  const env = { ...more, ...target, [`CARGO_TARGET_${host().toUpperCase().replaceAll("-", "_")}_RUNNER`]: `${process.execPath} ${process.cwd()}/xtask/mutants/first-failure.mjs` };
  const options = ["--no-shuffle", "--output", out, ...targets.map((target) => `--cargo-arg=${target}`)];
  const { status } = run([...options, ...files, ...chosen, ...(args.length > 0 ? ["--", "--", ...args] : [])], { env, stdio: "inherit" });
  // 0: all caught; 2: some survive; 3: some never ended, which is a way of being caught.
  if (![0, 2, 3].includes(status)) fail(`cargo-mutants ended with ${status}`);
  const names = readFileSync(`${out}/mutants.out/missed.txt`, "utf8").split("\n");
  return new Set(names.filter((name) => name !== ""));
}

/** Are these all mutants of their files? */
function isWhole(mutants) {
  const files = new Set(mutants.map(({ file }) => file));
  return all.filter(({ file }) => files.has(file)).length === mutants.length;
}

function escaped(text) {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** Installs cargo-mutants into a folder of this project, if it is not there in this version. */
function install() {
  if (existsSync(TOOL) && capture(["--version"]).trim() === `cargo-mutants ${VERSION}`) return;
  console.log(`\n▶ cargo install cargo-mutants ${VERSION}`);
  const args = ["install", "cargo-mutants", "--locked", "--version", VERSION, "--root", `${FOLDER}/tool`];
  const { status } = spawnSync("cargo", args, { stdio: "inherit" });
  if (status !== 0) fail("cargo-mutants cannot be installed");
}

function capture(args) {
  const { status, stdout } = run(args, { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8", maxBuffer: 1 << 30 });
  if (status !== 0) fail(`cargo mutants ${args.join(" ")} ended with ${status}`);
  return stdout;
}

function run(args, { env, ...options }) {
  return spawnSync(TOOL, ["mutants", ...args], { ...options, env: { ...process.env, ...env } });
}

function host() {
  return spawnSync("rustc", ["-vV"], { encoding: "utf8" }).stdout.match(/^host: (.*)$/m)[1];
}

function fail(message) {
  console.error(`\n✖ ${message}`);
  process.exit(1);
}
