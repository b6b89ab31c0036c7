// `npm run chaos`: what takes too long for `npm test`, in real browsers. A thousand races in each engine with each store; RUNS is
// another number. And in each 20 tabs at 200 expiries, of which each meets something else: TABS, EXPIRIES and SEED are others, and
// TELL=1 says what. `npm run chaos -- race-firefox` runs the parts whose names begin so.

import { fileURLToPath } from "node:url";

import { stores } from "../tests/browser/engines/stores.mjs";
import { runParts } from "./parts.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const RUNS = process.env.RUNS ?? "1000";

const tests = (...args) => [process.execPath, "--test", "--test-reporter=spec", ...args];

const race = (engine, store) => ({
  name: `race-${engine}-${store}`,
  run: tests(`--test-name-pattern=expiries, ${store}:`, `tests/browser/tabs-of-${engine}-share-a-session.test.mjs`),
  env: { RUNS },
});
/** The same seed is the same plan. A new one each time, unless one is to be repeated. */
const { SEED = Date.now().toString(36), TABS = "20", EXPIRIES = "200" } = process.env;

const chaos = (engine) => ({
  name: `chaos-${engine}`,
  run: tests(`tests/browser/chaos-in-${engine}-costs-no-session.test.mjs`),
  env: { SEED, TABS, EXPIRIES },
});

const engines = ["chromium", "firefox", "webkit"];
const races = engines.flatMap((engine) => Object.keys(stores).map((store) => race(engine, store)));
const parts = [...races, ...engines.map(chaos)];

runParts(parts);
