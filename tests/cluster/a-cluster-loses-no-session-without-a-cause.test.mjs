// A seeded run of whatever may happen to processes and to the database that they share. DATABASE, MODE, SEED, SESSIONS, EXPIRIES, PROCESSES
// and the times are other ones.

import { survives } from "./survives.mjs";

const { DATABASE = "Redis", MODE = "successor", SEED = "1", ...env } = process.env;

survives({
  ...{ database: DATABASE, mode: MODE, seed: SEED },
  ...{ sessions: Number(env.SESSIONS ?? 40), expiries: Number(env.EXPIRIES ?? 3), processes: Number(env.PROCESSES ?? 4) },
  ...{ lifetime: Number(env.LIFETIME ?? 4), timeout: Number(env.TIMEOUT ?? 3_000), patience: Number(env.PATIENCE ?? 60_000), cut: Number(env.CUT ?? 2_000) },
});
