// One of the processes that share a credential file: a coordinator that does what it is told, line by line.
//
// This folder has all it needs but the package: it is copied to where other runtimes run it.

import { writeSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";

import { RefreshCoordinator } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";

import { clockIn } from "./clock.mjs";
import { points } from "./points.mjs";

const { name, path, store: how, time, deeds, options } = JSON.parse(process.argv[2]);

/** Is said when this returns, also if it is the last thing. */
const say = (line) => writeSync(1, `${JSON.stringify(line)}\n`);

const clock = clockIn(time);
const ports = points(deeds, say);
const auth = new RefreshCoordinator({
  ...options,
  clientAuthentication: () => ({ params: { presenter: name } }),
  clock,
  fetch: ports.fetch,
  store: ports.store(fileStore(path, how)),
});
// Who listens, looks at once when another process has written.
auth.subscribe(() => {});

const told = (error) => ({ error: error.name, reason: error.reason ?? error.code });
const again = ({ retryAt = 0 }) => clock.sleep(Math.min(Math.max(retryAt - clock.now(), 100), 5_000), new AbortController().signal);

/** Does as an app does: what could not be done now, it tries again later. What it was told otherwise, each once. */
async function insist(callers, call) {
  const answers = new Map();
  for (let tries = 1; tries <= 20; tries += 1) {
    const ended = await Promise.allSettled(Array.from({ length: callers }, call));
    let busy;
    for (const { value, reason } of ended) {
      if (reason?.name === "TransientError") busy = reason;
      const answer = value === undefined ? told(reason) : { token: value };
      if (reason?.name !== "TransientError" || tries === 20) answers.set(JSON.stringify(answer), answer);
    }
    if (busy === undefined) break;
    await again(busy);
  }
  return [...answers.values()];
}

const commands = {
  signIn: (tokens) => auth.setTokens(tokens).then(() => {}),
  /** Takes hold of the session that another process has begun. The first call still belongs to the one before. */
  takeUp: () => insist(1, () => auth.getAccessToken().catch(() => auth.getAccessToken())),
  ask: (callers) => insist(callers, () => auth.getAccessToken()),
  /** The resource servers refuse every token: goes on until the session is said to be over. */
  hearOfTheEnd: () =>
    insist(1, async () => {
      for (;;) await auth.refresh({ rejected: await auth.getAccessToken() });
    }),
};

createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const { id, does, values } = JSON.parse(line);
    if (does === "wake") return clock.wake();
    const reply = await commands[does](...values).then(
      (result) => ({ id, result }),
      (error) => ({ id, error: `${error.name}: ${error.message}` }),
    );
    say(reply);
  })
  .on("close", () => auth.close());
say({ ready: true });
