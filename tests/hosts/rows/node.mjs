// Node by `import` and by `require`: this one, and every major version that is supported.

import assert from "node:assert/strict";
import { join } from "node:path";

import { execute } from "../execute.mjs";
import { scene } from "../scene.mjs";

const WAYS = { import: "imported.mjs", require: "required.cjs" };
const VERSIONS = [18, 20, 22, 24];

export const rows = [
  ...ways("Node, this one", { quick: true, binary: () => process.execPath }),
  ...VERSIONS.flatMap((major) => ways(`Node ${major}`, { binary: (row) => installed(row, major) })),
];

function ways(runtime, { quick, binary }) {
  const alone = Object.entries(WAYS).map(([way, file]) => ({
    name: `${runtime}, ${way}`,
    quick,
    async run(row) {
      const node = await binary(row);
      const { settings, believe } = await scene(row);
      return { host: await versionOf(node), did: await believe(await printed(row, node, file, settings)) };
    },
  }));
  return [...alone, { name: `${runtime}, both at once`, quick, run: async (row) => both(row, await binary(row)) }];
}

/** Two copies in one process, or one: they share the rotation, and know each other's errors. */
async function both(row, node) {
  const { settings, believeTokens, server } = await scene(row);
  const { tokens, classes, oneCopy } = await printed(row, node, "both.mjs", settings);
  assert.equal(tokens.length, 2 * settings.callers);
  await believeTokens(tokens);
  assert.equal(server.oracle.presentations, 1);
  assert.deepEqual(classes, Array(4).fill(["NoSessionError", "RefreshError", "Error"]));
  // Since 20.19 Node lets an ECMAScript module be required, and takes the same copy.
  assert.equal(oneCopy, !(await versionOf(node)).startsWith("v18."));
  return { host: await versionOf(node), did: `${oneCopy ? "one copy" : "two copies"}, 1 rotation, instanceof across` };
}

/** The process must end by itself, with nothing left that keeps it alive. */
async function printed(row, node, file, settings) {
  const cwd = await row.project("node");
  return JSON.parse(await execute(node, ["--unhandled-rejections=strict", file, JSON.stringify(settings)], { cwd }));
}

async function versionOf(node) {
  return (await execute(node, ["--version"])).trim();
}

async function installed(row, major) {
  const runtimes = await row.project("runtimes");
  return join(runtimes, "node_modules", `node-${major}-${process.platform}-${process.arch}`, "bin", "node");
}
