// The part `fuzz` of `npm run prove`: every target of `fuzz/` for FUZZ_SECONDS, as many at once as there are cores (or
// FUZZ_JOBS). Prints what each ran; fails on a finding, and says where its input is kept.
//
// There is no unsafe code to watch, so no sanitizer: what is left of cargo-fuzz works on the stable toolchain. It is
// installed below `target/`, once.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const CARGO_FUZZ = "0.13.2";
const TOOLS = "target/tools";
/** Where the fuzzers and what they find on the way are kept. */
const WORK = "target/fuzz";

const seconds = wholeNumber("FUZZ_SECONDS", 1800);
const jobs = wholeNumber("FUZZ_JOBS", availableParallelism());
const targets = readdirSync("fuzz/fuzz_targets").map((file) => file.replace(/\.rs$/, "")).sort();

const cargoFuzz = installed();
const target = `${process.cwd()}/${WORK}`;
for (const name of targets) run(cargoFuzz, ["build", "--sanitizer", "none", "--target-dir", target, name]);

console.log(`${seconds} s for each of ${targets.join(", ")}, ${Math.min(jobs, targets.length)} at a time`);
const waiting = [...targets];
const results = [];
await Promise.all(Array.from({ length: jobs }, async () => {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) results.push(await fuzz(name));
}));
for (const { name, code, executions, coverage, corpus } of results.sort((one, other) => (one.name < other.name ? -1 : 1))) {
  console.log(`${code === 0 ? "✔" : "✖"} ${name}: ${executions} executions, coverage ${coverage}, ${corpus} inputs in the corpus`);
}
const failed = results.filter(({ code }) => code !== 0);
for (const { name, log, artifacts } of failed) {
  console.error(`\n${readFileSync(log, "utf8").split("\n").filter((line) => !/^#\d+/.test(line)).slice(-60).join("\n")}`);
  console.error(`✖ ${name} found something. Its input: ${readdirSync(artifacts).map((file) => artifacts + file).join(", ")}; the log: ${log}`);
}
process.exit(failed.length === 0 ? 0 : 1);

/** Runs one target on a corpus of its own that begins with the one kept in the repository. */
function fuzz(name) {
  const corpus = `${WORK}/corpus/${name}`;
  const artifacts = `${WORK}/artifacts/${name}/`;
  for (const folder of [corpus, artifacts]) mkdirSync(folder, { recursive: true });
  const log = `${WORK}/${name}.log`;
  const args = [corpus, `fuzz/corpus/${name}`, `-artifact_prefix=${artifacts}`, `-max_total_time=${seconds}`, "-timeout=10"];
  // An input that was found before is a finding still.
  const known = readdirSync(artifacts).map((file) => artifacts + file);
  const options = { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, RUST_BACKTRACE: "1" } };
  const binary = executable(name);
  if (known.length > 0 && spawnSync(binary, [`-artifact_prefix=${artifacts}`, ...known], { stdio: "inherit" }).status !== 0) {
    return Promise.resolve({ name, code: 1, executions: known.length, coverage: "unknown", corpus: readdirSync(corpus).length, log, artifacts });
  }
  return new Promise((resolve) => {
    const child = spawn(binary, args, options);
    let text = "";
    child.stderr.setEncoding("utf8").on("data", (more) => (text += more));
    const end = (code) => {
      writeFileSync(log, text);
      const last = [...text.matchAll(/^#(\d+)\s.* cov: (\d+) ft: \d+ corp: (\d+)\//gm)].at(-1) ?? [];
      resolve({ name, code, executions: Number(last[1] ?? 0), coverage: last[2] ?? 0, corpus: last[3] ?? 0, log, artifacts });
    };
    child.on("error", (error) => {
      text += error.message;
      end(1);
    });
    child.on("close", (code, signal) => end(code ?? signal));
  });
}

function executable(name) {
  const host = /^host: (.*)$/m.exec(output("rustc", ["-vV"]))[1];
  return `${WORK}/${host}/release/${name}${process.platform === "win32" ? ".exe" : ""}`;
}

/** cargo-fuzz in the version named above. */
function installed() {
  const path = `${TOOLS}/bin/cargo-fuzz${process.platform === "win32" ? ".exe" : ""}`;
  const there = existsSync(path) && output(path, ["--version"]).trim().endsWith(` ${CARGO_FUZZ}`);
  if (!there) run("cargo", ["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ, "--root", TOOLS]);
  return path;
}

function wholeNumber(name, otherwise) {
  const number = Number(process.env[name] ?? otherwise);
  if (Number.isSafeInteger(number) && number > 0) return number;
  console.error(`${name} must be a whole number`);
  process.exit(1);
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (status === 0) return;
  console.error(`${command} ${args.join(" ")} failed${error ? `: ${error.message}` : ""}`);
  process.exit(1);
}

function output(command, args) {
  return spawnSync(command, args, { encoding: "utf8" }).stdout ?? "";
}
