// Node by `import` and by `require`: this one, and every major version that is supported.

import assert from "node:assert/strict";

import { execute } from "../execute.mjs";
import { node } from "../runtimes.mjs";
import { scene } from "../scene.mjs";

const WAYS = { import: "imported.mjs", require: "required.cjs" };
const VERSIONS = [18, 20, 22, 24, 26];

export const rows = [
  ...ways("Node, this one", { quick: true, binary: () => process.execPath }),
  ...VERSIONS.flatMap((major) => ways(`Node ${major}`, { binary: (row) => node(row, major) })),
];

function ways(title, { quick, binary }) {
  const alone = Object.entries(WAYS).map(([way, file]) => ({
    name: `${title}, ${way}`,
    quick,
    async run(row) {
      const { settings, believe } = await scene(row);
      const runtime = await binary(row);
      return { host: `Node ${await versionOf(runtime)}`, did: await believe(await printed(row, runtime, file, settings)) };
    },
  }));
  return [
    ...alone,
    { name: `${title}, both at once`, quick, run: async (row) => both(row, await binary(row)) },
    { name: `${title}, every entry`, quick, run: async (row) => entries(row, await binary(row)) },
  ];
}

/** Two copies in one process, or one: they share the rotation, and know each other's errors. */
async function both(row, runtime) {
  const { settings, believeTokens, server } = await scene(row);
  const { tokens, classes, oneCopy } = await printed(row, runtime, "both.mjs", settings);
  assert.equal(tokens.length, 2 * settings.callers);
  await believeTokens(tokens);
  assert.equal(server.oracle.presentations, 1);
  assert.deepEqual(classes, Array(4).fill(["NoSessionError", "RefreshError", "Error"]));
  // Since 20.19 Node lets an ECMAScript module be required, and takes the same copy.
  assert.equal(oneCopy, !(await versionOf(runtime)).startsWith("18."));
  return { host: `Node ${await versionOf(runtime)}`, did: `${oneCopy ? "one copy" : "two copies"}, 1 rotation, instanceof across` };
}

/** Each is there, and exports the same in both ways. */
async function entries(row, runtime) {
  const found = Object.entries(await printed(row, runtime, "entries.mjs"));
  for (const [path, { imported, required }] of found) {
    assert.ok(imported.length > 0, `${path} exports something`);
    assert.deepEqual(required, imported, `${path} exports the same by import and by require`);
    // The others need nothing that is not there.
    const lacks = imported.filter((name) => name.startsWith("needs "));
    assert.deepEqual(lacks, path === "./opentelemetry" ? ["needs @opentelemetry/api"] : [], path);
  }
  return { host: `Node ${await versionOf(runtime)}`, did: `${found.length} entries, import and require` };
}

/** The process must end by itself, with nothing left that keeps it alive. */
async function printed(row, runtime, file, settings) {
  const cwd = await row.project("node");
  const { stdout } = await execute(runtime, ["--unhandled-rejections=strict", file, JSON.stringify(settings)], { cwd });
  return JSON.parse(stdout);
}

async function versionOf(runtime) {
  return (await execute(runtime, ["--version"])).stdout.trim().slice(1);
}
