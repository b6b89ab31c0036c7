// What others' checks of packages say about the tarball.

import { join } from "node:path";

import { execute } from "../execute.mjs";
import { command, version } from "../project.mjs";

export const rows = [
  {
    name: "publint",
    async run(row) {
      const folder = await row.project("checks");
      await execute(command(folder, "publint"), [join("node_modules", "refresh-coordinator"), "--strict", "--pack=false"], { cwd: folder });
      return { host: `publint ${await version(folder, "publint")}`, did: "the installed package, strictly" };
    },
  },
  {
    name: "are the types wrong?",
    async run(row) {
      const folder = await row.project("checks");
      await execute(command(folder, "attw"), [await row.tarball()], { cwd: folder });
      return { host: `attw ${await version(folder, join("@arethetypeswrong", "cli"))}`, did: "every entry, every resolution" };
    },
  },
];
