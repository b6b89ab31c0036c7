// Reads a file all the time, in a process of its own, and looks at whether it is whole. Says what it saw when its input ends.

import { readFileSync, statSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const path = JSON.parse(process.argv[2]);
const seen = { reads: 0, versions: 0, wrong: [] };
let before;
let over = false;

process.stdin.on("end", () => (over = true)).resume();
writeSync(1, `${JSON.stringify({ reading: true })}\n`);
while (!over) {
  look();
  await sleep(1);
}
look();
writeSync(1, `${JSON.stringify(seen)}\n`);

function look() {
  let text;
  try {
    text = readFileSync(path, "utf8");
    if (process.platform !== "win32" && (statSync(path).mode & 0o777) !== 0o600) seen.wrong.push("others may read it");
  } catch (error) {
    // Once it is there it is never away.
    if (before !== undefined) seen.wrong.push(error.message);
    return;
  }
  seen.reads += 1;
  if (text === before) return;
  seen.versions += 1;
  before = text;
  try {
    JSON.parse(text);
  } catch {
    seen.wrong.push(`half of it: ${text.length} characters, ${JSON.stringify(text.slice(-40))}`);
  }
}
