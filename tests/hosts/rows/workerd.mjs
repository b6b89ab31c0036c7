// Cloudflare's runtime, given what its own tool bundles with no configuration about WebAssembly.

import { join } from "node:path";

import { execute, serve } from "../execute.mjs";
import { version } from "../project.mjs";
import { requested } from "../requests.mjs";
import { node } from "../runtimes.mjs";

/** Its tools do not run on an older one. */
const NODE = 22;

// Since some date in between workerd lets bytes be compiled while a script starts; never in a request.
export const rows = ["2026-04-01", "2025-01-01"].map((date) => ({
  name: `workerd, compatible with ${date}`,
  async run(row) {
    const folder = await bundled(row);
    const [, url] = await serve(row, await node(row, NODE), ["serve.mjs", date], { cwd: folder, ready: /ready at (\S+)/ });
    return { host: `workerd ${await version(folder, "workerd")}`, did: await requested(row, url) };
  },
}));

let bundle;

async function bundled(row) {
  bundle ??= row.project("workerd").then(async (folder) => {
    const wrangler = join("node_modules", "wrangler", "bin", "wrangler.js");
    await execute(await node(row, NODE), [wrangler, "deploy", "--dry-run", "--outdir", "dist"], { cwd: folder });
    return folder;
  });
  return bundle;
}
