// Sites that bundlers make with no configuration but the names of their files, opened in Chromium.

import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";

import { open } from "../chromium.mjs";
import { execute } from "../execute.mjs";
import { command, version } from "../project.mjs";
import { scene } from "../scene.mjs";

const tools = {
  esbuild: { arguments: ["page.js", "worker.js", "--bundle", "--format=esm", "--minify", "--outdir=dist"] },
  Vite: { arguments: ["build"], makesPage: true },
  webpack: { arguments: ["--mode=production"] },
};

export const rows = [
  inPage("esbuild", { quick: true }),
  inPage("Vite", { quick: true }),
  inPage("webpack"),
  inWorker("esbuild", "module worker", "withModuleWorker"),
  inWorker("Vite", "module worker", "withModuleWorker"),
  inWorker("webpack", "module worker", "withModuleWorker"),
  inWorker("esbuild", "service worker", "withServiceWorker"),
  { name: "page whose policy forbids WebAssembly", run: forbidden },
  forNode("imported.mjs", "esm"),
  forNode("required.cjs", "cjs"),
];

function inPage(tool, { quick } = {}) {
  return {
    name: `${tool}, page`,
    quick,
    async run(row) {
      const { settings, believe } = await scene(row);
      const { page, host } = await opened(row, tool);
      return { host, did: await believe(await page.evaluate((settings) => host.alone(settings), settings)) };
    },
  };
}

/** The page and its worker share the session: one rotation for both. */
function inWorker(tool, kind, ask) {
  return {
    name: `${tool}, ${kind}`,
    async run(row) {
      const { settings, believe } = await scene(row);
      const { page, host } = await opened(row, tool);
      const report = await page.evaluate(([ask, settings]) => host[ask](settings), [ask, settings]);
      return { host, did: `page and worker: ${await believe(report, { contexts: 2 })}` };
    },
  };
}

/** A program in one file. */
function forNode(program, format) {
  return {
    name: `esbuild, ${format} for Node`,
    quick: true,
    async run(row) {
      const { settings, believe } = await scene(row);
      const cwd = await row.project("esbuild");
      const bundle = join("dist", `program.${format === "cjs" ? "cjs" : "mjs"}`);
      const args = [program, "--bundle", "--platform=node", `--format=${format}`, `--outfile=${bundle}`];
      await execute(command(cwd, "esbuild"), args, { cwd });
      const { stdout } = await execute(process.execPath, [bundle, JSON.stringify(settings)], { cwd });
      const host = `esbuild ${await version(cwd, "esbuild")}, Node ${process.versions.node}`;
      return { host, did: await believe(JSON.parse(stdout)) };
    },
  };
}

async function forbidden(row) {
  const { page, host } = await opened(row, "esbuild", { policy: "script-src 'self'" });
  const { message, ...error } = await page.evaluate(() => host.refused());
  assert.deepEqual(error, { code: "no-webassembly", fault: "host", classes: ["ConfigurationError", "RefreshError", "Error"] });
  assert.match(message, /'wasm-unsafe-eval'/);
  return { host, did: "ConfigurationError no-webassembly, with the remedy" };
}

async function opened(row, tool, options) {
  const folder = await built(row, tool);
  const { page, host } = await open(row, join(folder, "dist"), options);
  return { page, host: `${tool} ${await version(folder, tool.toLowerCase())}, ${host}` };
}

const sites = new Map();

/** Builds a site once per run. */
async function built(row, tool) {
  if (!sites.has(tool)) sites.set(tool, build(row, tool));
  return sites.get(tool);
}

async function build(row, tool) {
  const folder = await row.project(tool.toLowerCase());
  const { stdout, stderr } = await execute(command(folder, tool.toLowerCase()), tools[tool].arguments, { cwd: folder });
  // A warning names the file it is about.
  assert.doesNotMatch(stdout + stderr, /refresh-coordinator\/pkg/, "builds without a warning about this package");
  if (!tools[tool].makesPage) await copyFile(join(folder, "index.html"), join(folder, "dist", "index.html"));
  return folder;
}
