// TypeScript to JavaScript: ESM entries that share their common code, and one CommonJS file.

import { build } from "esbuild";

const common = {
  bundle: true,
  charset: "utf8",
  external: ["node:*"],
  legalComments: "none",
  // A file of one line would be printed whole by Node whenever an error goes uncaught.
  lineLimit: 200,
  logLevel: "warning",
  minify: true,
  plugins: [{ name: "wasm-file", setup: leaveWasmFile }],
  target: "es2022",
};

/** @param {string[]} entries names of the ESM entries; the first is the default one and becomes the CommonJS file too */
export async function bundle(entries) {
  await build({
    ...common,
    entryPoints: entries.map((name) => `js/${name}.ts`),
    format: "esm",
    outdir: "pkg",
    chunkNames: "shared-[hash]",
    platform: "neutral",
    splitting: true,
  });
  await build({
    ...common,
    entryPoints: [`js/${entries[0]}.ts`],
    format: "cjs",
    outfile: "pkg/index.cjs",
    // Lets Node see the names of the exports without running the file.
    platform: "node",
  });
}

/** The module stays a file, next to the bundle: the host or its bundler resolves it. */
function leaveWasmFile({ onResolve }) {
  onResolve({ filter: /\/core\.wasm(\?module)?$/ }, ({ path }) => ({ path: `./${path.split("/").at(-1)}`, external: true }));
}
