// A program whose keyring asks the user, and blocks a thread of the pool until the user has answered, as a native one does: the prompt is
// a pipe that is opened for reading. It uses the members it is told, each with its session, says what came of them, and has nothing left to do.

import { statSync } from "node:fs";
import { open, stat } from "node:fs/promises";

import { RefreshCoordinator } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";
import { keyringStore } from "refresh-coordinator/stores/keyring";

import { say, settings } from "../lifecycle/said.mjs";
import { entriesIn } from "./entries.mjs";

const { path, options, keyring, service, prompt, unlocked, steps } = settings;

async function asks() {
  // Without the pool, of which nothing may be left.
  if (statSync(unlocked, { throwIfNoEntry: false })) return;
  say("prompt");
  await (await open(prompt, "r")).close();
}

function entry(...name) {
  const { getPassword, setPassword, deletePassword } = entriesIn(keyring)(...name);
  return {
    getPassword: () => asks().then(getPassword),
    setPassword: (text) => asks().then(() => setPassword(text)),
    deletePassword: () => asks().then(deletePassword),
  };
}

const results = [];
// Those of one step are called at once.
for (const calls of steps) {
  const settled = await Promise.allSettled(
    calls.map(({ session, member, values = [] }) =>
      new RefreshCoordinator({ ...options, session, store: keyringStore({ service, file: fileStore(path), entry }) })[member](...values),
    ),
  );
  results.push(settled.map(({ status, reason }) => reason?.code ?? status));
}
say("results", results);
await stat(path);
say("the pool is free");
