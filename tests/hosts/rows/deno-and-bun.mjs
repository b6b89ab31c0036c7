// Deno and Bun, with what npm has installed: by `import` and by `require`.

import { execute } from "../execute.mjs";
import { runtime } from "../runtimes.mjs";
import { scene } from "../scene.mjs";

// Deno is given the network, and nothing else but the files of the project.
const runs = {
  Deno: ["run", "--no-remote", "--allow-net", "--allow-read=."],
  Bun: ["run"],
};
const WAYS = { import: "imported.mjs", require: "required.cjs" };

export const rows = Object.keys(runs).flatMap((name) =>
  Object.entries(WAYS).map(([way, file]) => ({ name: `${name}, ${way}`, run: (row) => ran(row, name, file) })),
);

async function ran(row, name, file) {
  const { settings, believe } = await scene(row);
  const [binary, cwd] = [await runtime(row, name), await row.project("node")];
  // The process must end by itself, with nothing left that keeps it alive.
  const { stdout: report } = await execute(binary, [...runs[name], file, JSON.stringify(settings)], { cwd });
  const [version] = /\d+\.\d+\.\d+/.exec((await execute(binary, ["--version"])).stdout);
  return { host: `${name} ${version}`, did: await believe(JSON.parse(report)) };
}
