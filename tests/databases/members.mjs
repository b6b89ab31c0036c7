// Processes that share a store, and how a test talks to them.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("member-process.mjs", import.meta.url));

/** Starts one: `call` has a member of its coordinator called there. It ends with the test, by itself. */
export async function startMember(t, settings) {
  const child = fork(PROGRAM, [JSON.stringify(settings)], { stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => said.push(text));
  const gone = once(child, "exit");
  const calls = new Map();
  let count = 0;
  child.on("message", ({ id, result, error }) => {
    const { resolve, reject } = calls.get(id) ?? {};
    calls.delete(id);
    if (error) reject?.(Object.assign(new Error(error.message), error));
    else resolve?.(result);
  });
  t.after(async () => {
    if (child.connected) child.disconnect();
    await gone;
  });
  const [first] = await Promise.race([once(child, "message"), gone]);
  if (first !== "ready") throw new Error(`a member ended with ${first}: ${said.join("")}`);
  return {
    said: () => said.join(""),
    call(member, ...values) {
      count += 1;
      const id = count;
      return new Promise((resolve, reject) => {
        calls.set(id, { resolve, reject });
        child.send({ id, member, values });
      });
    },
  };
}
