// `npm run chaos:cluster`: 8 processes behind a proxy and the database that they share, killed, stopped, cut off and started again under
// 1,000 sessions of 5 expiries each, on Redis in both modes and on Postgres. SESSIONS, EXPIRIES, PROCESSES and SEED are other ones, LIFETIME
// is that of an access token in seconds, TIMEOUT that of one attempt, and CUT for how long the database is cut off, in milliseconds.
// `npm run chaos:cluster -- session` runs the parts whose names begin so.

import { fileURLToPath } from "node:url";

import { runParts } from "./parts.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

/** The same seed is the same plan. A new one each time, unless one is to be repeated. */
const env = {
  ...{ SEED: Date.now().toString(36), SESSIONS: "1000", EXPIRIES: "5", PROCESSES: "8" },
  // The package's own timeout. It stands still longer than its intent lives, and is cut off for less.
  ...{ TIMEOUT: "10000", LIFETIME: "90", CUT: "10000", PATIENCE: "180000" },
  ...process.env,
};

const run = [process.execPath, "--test", "--test-reporter=spec", "tests/cluster/a-cluster-loses-no-session-without-a-cause.test.mjs"];
const part = (MODE, DATABASE) => ({ name: `${MODE}-${DATABASE.toLowerCase()}`, run, env: { ...env, MODE, DATABASE } });
const parts = [part("successor", "Redis"), part("session", "Redis"), part("successor", "Postgres"), part("session", "Postgres")];

runParts(parts);
