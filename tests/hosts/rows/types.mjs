// TypeScript projects, with nothing of the package's declarations skipped. What they compile is what the repository compiles.

import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { execute } from "../execute.mjs";
import { version } from "../project.mjs";

const USAGE = fileURLToPath(new URL("../../types/usage.ts", import.meta.url));

export const rows = [
  compiled("typescript", "node16", { quick: true, did: "ESM and CommonJS, Node's types" }),
  compiled("typescript", "bundler", { quick: true, did: "ESM, the page's types" }),
  compiled("typescript-5", "node16", { did: "ESM and CommonJS, Node's types" }),
  compiled("typescript-5", "bundler", { did: "ESM, the page's types" }),
  // TypeScript 7 knows it no more. It does not know `exports` either, so there is nothing but the main entry.
  compiled("typescript-5", "node10", { did: "CommonJS, the main entry" }),
];

function compiled(compiler, resolution, { quick, did }) {
  return {
    name: `types, ${resolution}${compiler === "typescript" ? "" : ", TypeScript 5"}`,
    quick,
    async run(row) {
      const folder = await row.project("types");
      for (const ending of ["ts", "mts", "cts"]) await copyFile(USAGE, join(folder, `usage.${ending}`));
      const tsc = join("node_modules", compiler, "bin", "tsc");
      await execute(process.execPath, [tsc, "--project", `tsconfig.${resolution}.json`], { cwd: folder });
      return { host: `TypeScript ${await version(folder, compiler)}`, did };
    },
  };
}
