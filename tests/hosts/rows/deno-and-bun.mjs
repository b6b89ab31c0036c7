// Deno and Bun, with what npm has installed: by `import` and by `require`.

import { execute } from "../execute.mjs";
import { command } from "../project.mjs";
import { scene } from "../scene.mjs";

// Deno is given the network, and nothing else but the files of the project.
const runtimes = {
  Deno: { command: "deno", arguments: ["run", "--no-remote", "--allow-net", "--allow-read=."] },
  Bun: { command: "bun", arguments: ["run"] },
};
const WAYS = { import: "imported.mjs", require: "required.cjs" };

export const rows = Object.keys(runtimes).flatMap((runtime) =>
  Object.entries(WAYS).map(([way, file]) => ({ name: `${runtime}, ${way}`, run: (row) => ran(row, runtimes[runtime], file, runtime) })),
);

async function ran(row, runtime, file, name) {
  const { settings, believe } = await scene(row);
  const [binary, cwd] = [command(await row.project("runtimes"), runtime.command), await row.project("node")];
  // The process must end by itself, with nothing left that keeps it alive.
  const report = JSON.parse(await execute(binary, [...runtime.arguments, file, JSON.stringify(settings)], { cwd }));
  const [said] = /\d+\.\d+\.\d+/.exec(await execute(binary, ["--version"]));
  return { host: `${name} ${said}`, did: await believe(report) };
}
