// What the default entry weighs, and which part of it is to blame; read from pkg/ as it is published.

import { readFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import { transform } from "esbuild";

const read = (name) => readFileSync(new URL(`../pkg/${name}`, import.meta.url));

/** Sizes of some bytes: raw, gzip, brotli. */
const weigh = (bytes) => {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return [bytes.length, gzipSync(bytes, { level: 9 }).length, brotliCompressSync(bytes, { params }).length];
};
const minus = (from, ...others) => from.map((size, way) => others.reduce((rest, other) => rest - other[way], size));

/** The entry and the chunks it imports, as one. */
function loaded(name, seen = new Set()) {
  if (seen.has(name)) return [];
  seen.add(name);
  const bytes = read(name);
  const chunks = bytes.toString().matchAll(/["']\.\/([\w.-]+\.js)["']/g);
  return [bytes, ...Array.from(chunks, ([, chunk]) => loaded(chunk, seen)).flat()];
}

/** The module as text, in the lines that the bundler has cut it into. */
const BASE64 = /"AGFzb[\w+/=\\\s]*"/;

/** Rows of [what, raw, gzip, brotli]; the parts add up to the whole. */
export async function bytes() {
  const text = Buffer.concat(loaded("index.js")).toString();
  if (!BASE64.test(text)) throw new Error("the module was not found in pkg/index.js");
  const [whole, scripts] = [weigh(Buffer.from(text)), weigh(Buffer.from(text.replace(BASE64, '""')))];
  const wasm = weigh(read("core.wasm"));
  const { code } = await transform(read("glue.js").toString(), { minify: true, format: "esm", target: "es2022" });
  const glue = weigh(Buffer.from(code));
  return [
    ["default entry (pkg/index.js)", ...whole],
    ["  wasm", ...wasm],
    ["  base64 overhead", ...minus(whole, scripts, wasm)],
    ["  glue of wasm-bindgen", ...glue],
    ["  TypeScript", ...minus(scripts, glue)],
  ];
}
