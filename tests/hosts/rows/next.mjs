// A Next.js application: its edge runtime, its Node runtime, and its page; with both of its bundlers.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { visit } from "../chromium.mjs";
import { execute, serve } from "../execute.mjs";
import { command, version } from "../project.mjs";
import { requested } from "../requests.mjs";
import { scene } from "../scene.mjs";

const bundlers = { Turbopack: "--turbopack", webpack: "--webpack" };

export const rows = Object.keys(bundlers).flatMap((bundler) => [
  { name: `Next.js (${bundler}), edge route`, run: (row) => edgeRoute(row, bundler) },
  { name: `Next.js (${bundler}), Node route`, run: (row) => route(row, bundler, "node") },
  { name: `Next.js (${bundler}), page`, run: (row) => page(row, bundler) },
]);

async function route(row, bundler, path) {
  const { url, host } = await started(row, bundler);
  return { host, did: await requested(row, new URL(path, url)) };
}

/**
 * `next start` lets bytes be compiled where those who host an edge runtime do not. So the build is asked as well: it must
 * deploy the module as a file of its own.
 */
async function edgeRoute(row, bundler) {
  const cwd = await built(row, bundler);
  const manifest = JSON.parse(await readFile(join(cwd, bundler, "server", "middleware-manifest.json"), "utf8"));
  assert.equal(manifest.functions["/edge/route"].wasm.length, 1, "the route comes with one WebAssembly file");
  return route(row, bundler, "edge");
}

async function page(row, bundler) {
  const { settings, believe } = await scene(row);
  const { url, host } = await started(row, bundler);
  const { page, host: browser } = await visit(row, url);
  const report = await page.evaluate((settings) => host.alone(settings), settings);
  return { host: `${host}, ${browser}`, did: await believe(report) };
}

async function started(row, bundler) {
  const cwd = await built(row, bundler);
  const args = ["start", "--hostname", "127.0.0.1", "--port", "0"];
  const next = join("node_modules", "next", "dist", "bin", "next");
  const [, url] = await serve(row, process.execPath, [next, ...args], { cwd, env: { BUNDLER: bundler }, ready: /Local:\s+(\S+)/ });
  return { url, host: `Next.js ${await version(cwd, "next")}` };
}

const builds = new Map();

/** Builds the application once per run and bundler. */
async function built(row, bundler) {
  if (!builds.has(bundler)) builds.set(bundler, build(row, bundler));
  return builds.get(bundler);
}

async function build(row, bundler) {
  const cwd = await row.project("next");
  const { stdout, stderr } = await execute(command(cwd, "next"), ["build", bundlers[bundler]], { cwd, env: { BUNDLER: bundler } });
  // A warning names the file it is about.
  assert.doesNotMatch(stdout + stderr, /refresh-coordinator\/pkg/, "builds without a warning about this package");
  return cwd;
}
