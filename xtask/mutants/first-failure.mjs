// Runs a test program and ends it with the first test that fails: a mutant that is caught once is caught.
// Cargo starts it as the runner of the tests: `CARGO_TARGET_<TRIPLE>_RUNNER="node xtask/mutants/first-failure.mjs"`.

import { spawn } from "node:child_process";

const [program, ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
let line = "";
let failed = false;
child.stdout.setEncoding("utf8").on("data", (text) => {
  process.stdout.write(text);
  const lines = (line + text).split("\n");
  line = lines.pop();
  if (failed || !lines.some((line) => /^test .* \.\.\. FAILED$/.test(line))) return;
  failed = true;
  child.kill();
});
child.on("error", (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
child.on("close", (code) => (process.exitCode = failed ? 101 : (code ?? 101)));
