// Runs the parts of a long command one after the other, or those whose names begin with what was asked for. The first that fails ends it.

import { spawnSync } from "node:child_process";

/** @param parts the `name` of each, its command `run`, and what it has in its environment beside ours */
export function runParts(parts, wanted = process.argv[2] ?? "") {
  const chosen = parts.filter(({ name }) => name.startsWith(wanted));
  if (chosen.length === 0) {
    console.error(`no part is named ${wanted}: there are ${parts.map(({ name }) => name).join(", ")}`);
    process.exit(1);
  }
  for (const { name, run: [command, ...args], env } of chosen) {
    console.log(`\n▶ ${name}`);
    const { status, signal, error } = spawnSync(command, args, { stdio: "inherit", env: { ...process.env, ...env } });
    if (status !== 0) {
      console.error(`\n✖ ${name} failed with ${error?.message ?? signal ?? status}`);
      process.exit(1);
    }
  }
}
