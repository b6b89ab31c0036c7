// The contract of a store, as somebody who writes one runs it: under each of the common test runners.

import assert from "node:assert/strict";
import { join } from "node:path";

import { execute } from "../execute.mjs";
import { version } from "../project.mjs";
import { node } from "../runtimes.mjs";

/** Vitest does not run on an older one. */
const NODE = 22;

export const rows = [
  under("node:test", { args: ["--test", "--test-reporter=tap", "node.test.mjs"], passed: /^# pass (\d+)$/m }),
  under("Vitest", { name: "vitest", args: [join("node_modules", "vitest", "vitest.mjs"), "run", "vitest.test.mjs"], passed: /Tests\s+(\d+) passed \(\1\)/ }),
  under("Jest", { name: "jest", args: [join("node_modules", "jest", "bin", "jest.js")], passed: /Tests:\s+(\d+) passed, \1 total/ }),
];

function under(title, { name, args, passed }) {
  return {
    name: `contract of a store, ${title}`,
    async run(row) {
      const cwd = await row.project("testing");
      const runtime = await node(row, NODE);
      const { stdout, stderr } = await execute(runtime, args, { cwd, env: { NO_COLOR: "1" } });
      const cases = Number(passed.exec(stdout + stderr)?.[1] ?? 0);
      // A runner that found no test is content as well.
      assert.ok(cases > 10, `${cases} cases passed:\n${stdout}${stderr}`);
      const host = name ? `${title} ${await version(cwd, name)}` : (await execute(runtime, ["--version"])).stdout.trim();
      return { host, did: `${cases} sentences on memoryStore` };
    },
  };
}
