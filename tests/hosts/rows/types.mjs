// TypeScript projects, with nothing of the package's declarations skipped. What they compile is what the repository compiles.

import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { execute } from "../execute.mjs";
import { version } from "../project.mjs";

const usage = (name) => fileURLToPath(new URL(`../../types/${name}.ts`, import.meta.url));

const compilers = {
  7: { project: "types", name: "typescript" },
  5: { project: "checks", name: "typescript-5" },
};

export const rows = [
  compiled(7, "node16", { quick: true, did: "ESM and CommonJS, Node's types" }),
  compiled(7, "bundler", { quick: true, did: "ESM, the page's types" }),
  compiled(5, "node16", { did: "ESM and CommonJS, Node's types" }),
  compiled(5, "bundler", { did: "ESM, the page's types" }),
  // TypeScript 7 knows it no more. It does not know `exports` either: the other entries are found by `typesVersions`.
  compiled(5, "node10", { did: "CommonJS, the page's types" }),
];

function compiled(major, resolution, { quick, did }) {
  return {
    name: `TypeScript ${major}, ${resolution}`,
    quick,
    async run(row) {
      const cwd = await row.project("types");
      for (const ending of ["ts", "mts", "cts"]) await copyFile(usage("usage"), join(cwd, `usage.${ending}`));
      await copyFile(usage("usage-in-a-page"), join(cwd, "usage-in-a-page.ts"));
      const { project, name } = compilers[major];
      const folder = await row.project(project);
      const tsc = join(folder, "node_modules", name, "bin", "tsc");
      await execute(process.execPath, [tsc, "--project", `tsconfig.${resolution}.json`], { cwd });
      return { host: `TypeScript ${await version(folder, name)}`, did };
    },
  };
}
