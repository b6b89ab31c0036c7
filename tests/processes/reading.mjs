// A process that reads a file all the time, and what it saw.

import { fileURLToPath } from "node:url";

import { here, start } from "./programs.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));

export async function readAllTheTime(path) {
  let hear;
  let seen;
  const reads = new Promise((resolve) => (hear = resolve));
  const reader = start({ ...here, folder }, "reader.mjs", path, (line) => (line.reading ? hear() : (seen = line)));
  await Promise.race([reads, reader.gone]);
  return {
    /** `reads`, how many `versions` there were among them, and what was `wrong`. */
    async end() {
      reader.end();
      const { how, said } = await reader.gone;
      return seen ?? { reads: 0, versions: 0, wrong: [`the reader ended with ${how}: ${said}`] };
    },
  };
}
