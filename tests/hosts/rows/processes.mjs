// Processes that share one credential file, on every runtime, and on several at once.

import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { judge } from "../../chaos/judge.mjs";
import { plan } from "../../processes/chaos/plan.mjs";
import { run } from "../../processes/chaos/run.mjs";
import { start } from "../../processes/programs.mjs";
import { rush } from "../../processes/rush.mjs";
import { temporaryFolder } from "../../processes/temporary-folder.mjs";
import { execute } from "../execute.mjs";
import { node, runtime } from "../runtimes.mjs";

const MEMBER = fileURLToPath(new URL("../../processes/member", import.meta.url));
const PROCESSES = 16;
/** Of a chaos run. The seed is always the same: what is new is the runtime. */
const CHAOS = { seed: "hosts", expiries: 6, processes: 8 };

const nodes = [18, 20, 22, 24, 26].map((major) => ({ title: `Node ${major}`, command: async (row) => [await node(row, major)] }));
const bun = { title: "Bun", command: async (row) => [await runtime(row, "Bun"), "run"] };
// It must be allowed to kill itself, beside what a file needs.
const deno = { title: "Deno", command: async (row) => [await runtime(row, "Deno"), "run", "--no-remote", "--allow-all"] };

export const rows = [
  ...[...nodes, bun, deno].map((one) => ({ name: `processes on one file, ${one.title}`, run: (row) => share(row, [one]) })),
  { name: "processes on one file, Node 18, Node 26, Bun and Deno at once", run: (row) => share(row, [nodes[0], nodes.at(-1), bun, deno]) },
];

async function share(row, kinds) {
  const folder = await temporaryFolder(row, "hosts");
  const project = await row.project("processes");
  const programs = join(project, "member");
  await cp(MEMBER, programs, { recursive: true });
  const runtimes = await Promise.all(kinds.map(async ({ command }) => ({ command: await command(row), folder: programs })));
  const locks = await Promise.all(runtimes.map((one) => lockIn(one, join(folder, "probe", "credentials.json"))));
  const isLocked = locks.every(({ has }) => has);

  const { tokens } = await rush(row, { path: join(folder, "app", "credentials.json"), store: {}, processes: PROCESSES, runtimes });
  assert.equal(tokens.length, PROCESSES);

  const { record, wrong, read, done, rotations, reuses } = await run({ rounds: plan(CHAOS), ...CHAOS, store: {}, isLocked, runtimes, tell: () => {} });
  const said = record.map((entry) => JSON.stringify(entry)).join("\n");
  assert.deepEqual([...judge(record), ...read.wrong, ...(wrong ? [wrong.stack] : [])], [], said);
  assert.ok(Object.keys(done).some((what) => what.startsWith("stop at")) && Object.keys(done).some((what) => what.startsWith("kill at")), JSON.stringify(done));

  const versions = await Promise.all(runtimes.map(versionOf));
  const host = kinds.map(({ title }, index) => `${title.split(" ")[0]} ${versions[index]}`).join(", ");
  const lacks = [...new Set(locks.flatMap(({ has, why }) => (has ? [] : [why])))];
  const by = isLocked ? "kernel lock" : `lease only (${lacks.join("; ")})`;
  return { host, did: `${PROCESSES} processes, 1 rotation; chaos: ${rotations} rotations, ${reuses} reuses with a cause; ${by}` };
}

async function lockIn(runtime, path) {
  let answer;
  const { how, said } = await start(runtime, "locks.mjs", { path }, (line) => (answer = line)).gone;
  assert.equal(how, 0, said);
  return answer;
}

async function versionOf({ command: [binary] }) {
  return /\d+\.\d+\.\d+/.exec((await execute(binary, ["--version"])).stdout)[0];
}
