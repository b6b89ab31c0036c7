// Cloudflare's runtime, given what its own tool bundles with no configuration about WebAssembly.

import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { execute, serve } from "../execute.mjs";
import { version } from "../project.mjs";
import { requested } from "../requests.mjs";
import { node } from "../runtimes.mjs";

const EXAMPLE = fileURLToPath(new URL("../../../examples/stores/durable-object.mjs", import.meta.url));

/** Its tools do not run on an older one. */
const NODE = 22;

// Since some date in between workerd lets bytes be compiled while a script starts; never in a request.
const refreshing = ["2026-04-01", "2025-01-01"].map((date) => ({
  name: `workerd, compatible with ${date}`,
  async run(row) {
    const folder = await bundled(row);
    const [, url] = await serve(row, await node(row, NODE), ["serve.mjs", date], { cwd: folder, ready: /ready at (\S+)/ });
    return { host: `workerd ${await version(folder, "workerd")}`, did: await requested(row, url) };
  },
}));

export const rows = [...refreshing, { name: "store in Durable Objects", run: sessions }];

let bundle;

async function bundled(row) {
  bundle ??= row.project("workerd").then(async (folder) => {
    await deploy(row, folder, "--outdir", "dist");
    return folder;
  });
  return bundle;
}

/** The example of the documentation keeps the contract. */
async function sessions(row) {
  const folder = await row.project("workerd");
  await copyFile(EXAMPLE, join(folder, "durable-object.mjs"));
  await deploy(row, folder, "--config", "wrangler.sessions.json", "--outdir", "sessions");
  const objects = JSON.stringify({ durableObjects: { SESSIONS: { className: "SessionStorage", useSQLite: true } } });
  const args = ["serve.mjs", "2026-04-01", "sessions", objects];
  const [, url] = await serve(row, await node(row, NODE), args, { cwd: folder, ready: /ready at (\S+)/ });
  const { count, failed } = await (await fetch(url)).json();
  assert.deepEqual(failed, []);
  return { host: `workerd ${await version(folder, "workerd")}`, did: `${count} sentences of the contract` };
}

async function deploy(row, folder, ...args) {
  const wrangler = join("node_modules", "wrangler", "bin", "wrangler.js");
  await execute(await node(row, NODE), [wrangler, "deploy", "--dry-run", ...args], { cwd: folder });
}
