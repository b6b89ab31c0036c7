// Everything between a clean clone and a built package: npm packages, the Rust target and components, browsers and databases,
// crates, `pkg/`.
// Runs before anything is installed, so it is plain Node; every step is skipped when what it depends on has not changed.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { fingerprint } from "./fingerprint.mjs";
import { BROWSERS, CLUSTERS, installPrograms, missingPrograms, STORES } from "./system-packages.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const TARGET = "wasm32-unknown-unknown";
const COMPONENTS = ["clippy", "rustfmt"];

/** What was done, and for which inputs. In `node_modules/`, so that it vanishes with what it speaks of. */
const STAMPS = "node_modules/.refresh-coordinator/stamps.json";

/** What the package is made of. */
const SOURCES = [
  ...["Cargo.toml", "Cargo.lock", ".cargo", "src", "xtask/Cargo.toml", "xtask/src", "xtask/package"],
  ...["package.json", "package-lock.json", "tsconfig.json", "tsconfig.build.json", "tsconfig.build.node.json", "js"],
];

/** `npm test` needs browsers and Redis; what needs the other databases has commands of its own. */
const databases = process.argv.includes("--databases");
const wanted = databases ? [BROWSERS, CLUSTERS, STORES] : [BROWSERS, CLUSTERS];

const steps = [
  {
    name: "npm packages",
    state: () => fingerprint(["package-lock.json", ".npmrc"], process.platform, process.arch),
    // No install scripts: none of the packages needs one.
    run: () => npm("ci", "--ignore-scripts", "--no-audit", "--no-fund"),
  },
  {
    name: "Rust target and components",
    done: () => missingTargets().length + missingComponents().length === 0,
    run() {
      for (const target of missingTargets()) run("rustup", ["target", "add", target]);
      for (const component of missingComponents()) run("rustup", ["component", "add", component]);
    },
  },
  {
    name: databases ? "browsers and databases" : "browsers and Redis",
    done: () => missingPrograms(wanted).length === 0,
    // Without them only their own tests fail; they say so.
    run: () => installPrograms(wanted),
  },
  {
    name: "crates",
    state: () => fingerprint(["Cargo.toml", "xtask/Cargo.toml", "Cargo.lock"]),
    // Elsewhere than in CI a changed manifest may still change the lock file.
    run: () => run("cargo", ["fetch", ...(process.env.CI ? ["--locked"] : [])]),
  },
  {
    name: "the package in pkg/",
    state: () => fingerprint(SOURCES, output("rustc", ["--version"]), fingerprint(["pkg"])),
    run: () => run("cargo", ["xtask", "build"]),
  },
];

const rebuild = process.argv.includes("--build");
const started = performance.now();
let ran = 0;

requireTools();
for (const step of steps) {
  const forced = rebuild && step === steps.at(-1);
  const done = step.done ? step.done() : stamps()[step.name] === step.state();
  if (done && !forced) continue;
  console.log(`set-up: ${step.name}`);
  step.run();
  // Taken again: some steps write files that they also depend on.
  if (step.state) stamp(step.name, step.state());
  ran += 1;
}
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(ran === 0 ? `set-up: nothing to do (${seconds} s)` : `set-up: done (${seconds} s)`);

function requireTools() {
  if (Number.parseInt(process.versions.node, 10) < 20) fail(`Node ${process.versions.node} is too old: 20 or newer is needed here`);
  const rustup = spawnSync("rustup", ["show", "active-toolchain"], { stdio: ["ignore", "ignore", "pipe"], encoding: "utf8" });
  if (rustup.error) fail("rustup was not found: install Rust with it first");
  if (rustup.status !== 0) run("rustup", ["default", "stable"]);
}

function missingTargets() {
  return [TARGET].filter((target) => !lines("rustup", ["target", "list", "--installed"]).includes(target));
}

function missingComponents() {
  const installed = lines("rustup", ["component", "list", "--installed"]);
  return COMPONENTS.filter((component) => !installed.some((name) => name === component || name.startsWith(`${component}-`)));
}

function stamps() {
  try {
    return JSON.parse(readFileSync(STAMPS, "utf8"));
  } catch {
    return {};
  }
}

function stamp(name, state) {
  mkdirSync(dirname(STAMPS), { recursive: true });
  writeFileSync(STAMPS, JSON.stringify({ ...stamps(), [name]: state }, null, 2));
}

/** The npm that started this, or the one on the path. */
function npm(...args) {
  const script = process.env.npm_execpath;
  if (script) run(process.execPath, [script, ...args]);
  else run(process.platform === "win32" ? "npm.cmd" : "npm", args);
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) fail(`${command} ${args.join(" ")} failed${error ? `: ${error.message}` : ""}`);
}

function output(command, args) {
  const { status, stdout, error } = spawnSync(command, args, { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
  if (status !== 0) fail(`${command} ${args.join(" ")} failed${error ? `: ${error.message}` : ""}`);
  return stdout;
}

function lines(command, args) {
  return output(command, args).split(/\r?\n/);
}

function fail(message) {
  console.error(`set-up: ${message}`);
  process.exit(1);
}
