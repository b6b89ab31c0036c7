// TypeScript to JavaScript: ESM entries that share their common code, and one CommonJS file.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

import { build } from "esbuild";

import { withHints } from "./import-hints.mjs";

const { version } = JSON.parse(await readFile("package.json", "utf8"));

const common = {
  bundle: true,
  charset: "utf8",
  define: { VERSION: JSON.stringify(version) },
  // Of the user's own, if at all: metrics go to the provider that is registered with it.
  external: ["node:*", "@opentelemetry/api"],
  legalComments: "none",
  // A file of one line would be printed whole by Node whenever an error goes uncaught.
  lineLimit: 200,
  logLevel: "warning",
  minify: true,
  plugins: [{ name: "wasm-file", setup: leaveWasmFile }],
  target: "es2022",
  write: false,
};

/**
 * @param {string[]} entries names of the entries
 * @param {string[]} required those that become a CommonJS file too
 */
export async function bundle(entries, required) {
  const modules = await build({
    ...common,
    entryPoints: entries.map((name) => `js/${name}.ts`),
    format: "esm",
    outbase: "js",
    outdir: "pkg",
    chunkNames: "shared-[hash]",
    platform: "neutral",
    splitting: true,
  });
  const scripts = await build({
    ...common,
    entryPoints: required.map((name) => `js/${name}.ts`),
    format: "cjs",
    outbase: "js",
    outdir: "pkg",
    outExtension: { ".js": ".cjs" },
    // Lets Node see the names of the exports without running the file.
    platform: "node",
  });
  for (const { path, text } of [...modules.outputFiles, ...scripts.outputFiles]) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, withHints(text));
  }
}

/** The module stays a file, next to the bundle: the host or its bundler resolves it. */
function leaveWasmFile({ onResolve }) {
  onResolve({ filter: /\/core\.wasm(\?module)?$/ }, ({ path }) => ({ path: `./${path.split("/").at(-1)}`, external: true }));
}
