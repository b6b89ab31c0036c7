// Says how large the package is: the module, and what each entry makes a user load.

import { readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";

/** @param {string[]} entries names of the ESM entries */
export function report(entries) {
  const files = entries.map((name) => `${name}.js`);
  row("", "raw", "gzip", "brotli");
  for (const name of ["core.wasm", ...files, "index.cjs"]) {
    const bytes = loaded(name);
    row(name, bytes.length, gzipSync(bytes, { level: 9 }).length, brotliCompressSync(bytes).length);
  }
}

/** A file and the chunks it imports. */
function loaded(name, seen = new Set()) {
  if (seen.has(name)) return Buffer.alloc(0);
  seen.add(name);
  const bytes = readFileSync(`pkg/${name}`);
  if (!name.endsWith(".js")) return bytes;
  const chunks = bytes.toString().matchAll(/["']\.{1,2}\/(shared-[^"']+\.js)["']/g);
  return Buffer.concat([bytes, ...Array.from(chunks, ([, chunk]) => loaded(chunk, seen))]);
}

function row(name, ...columns) {
  console.log(`  ${name.padEnd(22)}${columns.map((column) => String(column).padStart(9)).join("")}`);
}
