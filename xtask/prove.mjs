// `npm run prove`: what takes too long for `npm test`. The whole search, the list of mutants it must catch, a million random
// schedules, then half an hour of fuzzing for each target. `npm run prove -- schedules` runs the one whose name begins so.

import { fileURLToPath } from "node:url";

import { runParts } from "./parts.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const FUZZ_SECONDS = process.env.FUZZ_SECONDS ?? "1800";
const SCHEDULES = process.env.SCHEDULES ?? "1000000";
const cargo = (...args) => ["cargo", "test", "--profile", "search", ...args];

const parts = [
  { name: "search", run: cargo("--features", "prove", "--test", "prove", "--", "--nocapture") },
  { name: "mutants", run: cargo("--features", "mutants", "--test", "every_interleaving", "every_mutant", "--", "--nocapture") },
  { name: "schedules", run: cargo("--features", "mutants", "--test", "schedules", "--", "--nocapture"), env: { SCHEDULES } },
  { name: "fuzz", run: [process.execPath, "xtask/fuzz.mjs"], env: { FUZZ_SECONDS } },
];

runParts(parts);
