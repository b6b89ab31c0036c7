// A program that stands still at one step of what it does with its keyring and its file, to be killed there.

import { RefreshCoordinator } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";
import { keyringStore } from "refresh-coordinator/stores/keyring";

import { say, settings } from "../lifecycle/said.mjs";
import { entriesIn } from "./entries.mjs";

const { path, options, keyring, service, action, at, deaf } = settings;
const steps = [];
const own = new Set();

/** Notes a step that is about to be taken, and takes it unless it is the one to stop at. */
async function step(name, take) {
  await stopAt(`before ${name}`);
  const result = await take();
  await stopAt(`after ${name}`);
  return result;
}

async function stopAt(moment) {
  steps.push(moment);
  // The second of a kind has a number.
  const count = steps.filter((one) => one === moment).length;
  if (at !== (count === 1 ? moment : `${moment} ${count}`)) return;
  setInterval(() => {}, 1_000);
  say("stopped", steps);
  await new Promise(() => {});
}

const file = fileStore(path);
const store = keyringStore({
  service,
  file: { ...file, write: (...call) => step("the file is written", () => file.write(...call)) },
  entry(...name) {
    const entry = entriesIn(keyring)(...name);
    return {
      getPassword() {
        // It does not say what it was told by others.
        if (deaf && !own.has(name.join())) return null;
        return entry.getPassword();
      },
      setPassword(text) {
        own.add(name.join());
        return step("the keyring is written", () => entry.setPassword(text));
      },
      deletePassword: () => step("a key is removed", () => entry.deletePassword()),
    };
  },
});
const auth = new RefreshCoordinator({ ...options, store });
if (action === "sign in") await auth.setTokens(settings.tokens);
else await auth.getAccessToken();
say("ended", steps);
