// `npm run bench`: time per call, bytes, and how soon waiting tabs have the token. `npm run bench -- calls` runs one part.

import { bytes } from "./bytes.mjs";
import { calls } from "./calls.mjs";
import { fanOut } from "./fan-out.mjs";

const line = (what, cells) => console.log(what.padEnd(44) + cells.join("  "));
const ms = (number) => `${number.toFixed(1)} ms`;

const parts = {
  calls: () => calls(line),
  async bytes() {
    line("bytes", ["raw", "gzip", "brotli"].map((way) => way.padStart(9)));
    for (const [what, ...sizes] of await bytes()) line(what, sizes.map((size) => size.toLocaleString("en").padStart(9)));
  },
  async "fan-out"() {
    line("tabs that wait, in Chromium", ["last token", "bare hop", "ratio", "one by one"].map((title) => title.padStart(15)));
    for (const { waiting, token, hop, queue } of await fanOut()) {
      line(String(waiting), [ms(token), ms(hop), (token / hop).toFixed(1), ms(queue)].map((cell) => cell.padStart(15)));
    }
  },
};

const wanted = process.argv[2] ?? "";
const chosen = Object.keys(parts).filter((name) => name.startsWith(wanted));
if (chosen.length === 0) {
  console.error(`no part is named ${wanted}: there are ${Object.keys(parts).join(", ")}`);
  process.exit(1);
}
for (const name of chosen) {
  await parts[name]();
  console.log();
}
