// `npm run chaos:processes`: what takes too long for `npm test`. 32 processes on one credential file at 300 expiries, in each way in which
// they keep out of each other's way: PROCESSES, EXPIRIES and SEED are others, and TELL=1 says what each expiry meets.
// `npm run chaos:processes -- lease` runs those whose titles have the word in them.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

/** The same seed is the same plan. A new one each time, unless one is to be repeated. */
const { SEED = Date.now().toString(36), PROCESSES = "32", EXPIRIES = "300" } = process.env;

const [wanted] = process.argv.slice(2);
const some = wanted === undefined ? [] : [`--test-name-pattern=${wanted}`];
const command = ["--test", "--test-reporter=spec", ...some, "tests/processes/chaos-among-processes-costs-no-session.test.mjs"];
console.log(`seed ${SEED}, ${PROCESSES} processes, ${EXPIRIES} expiries`);
const { status, signal, error } = spawnSync(process.execPath, command, { stdio: "inherit", env: { ...process.env, SEED, PROCESSES, EXPIRIES } });
if (status !== 0) {
  console.error(`\n✖ failed with ${error?.message ?? signal ?? status}`);
  process.exitCode = 1;
}
