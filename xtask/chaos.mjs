// `npm run chaos`: what takes too long for `npm test`, in real browsers. A thousand races in each engine with each store; RUNS is
// another number. `npm run chaos -- race-firefox` runs the parts whose names begin so.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import { stores } from "../tests/browser/engines/stores.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const RUNS = process.env.RUNS ?? "1000";

const race = (engine, store) => ({
  name: `race-${engine}-${store}`,
  args: [`--test-name-pattern=expiries, ${store}:`, `tests/browser/tabs-of-${engine}-share-a-session.test.mjs`],
  env: { RUNS },
});
const parts = ["chromium", "firefox", "webkit"].flatMap((engine) => Object.keys(stores).map((store) => race(engine, store)));

const wanted = process.argv[2] ?? "";
const chosen = parts.filter(({ name }) => name.startsWith(wanted));
if (chosen.length === 0) {
  console.error(`no part is named ${wanted}: there are ${parts.map(({ name }) => name).join(", ")}`);
  process.exit(1);
}
for (const { name, args, env } of chosen) {
  console.log(`\n▶ ${name}`);
  const command = ["--test", "--test-reporter=spec", ...args];
  const { status, signal, error } = spawnSync(process.execPath, command, { stdio: "inherit", env: { ...process.env, ...env } });
  if (status !== 0) {
    console.error(`\n✖ ${name} failed with ${error?.message ?? signal ?? status}`);
    process.exit(1);
  }
}
