// A program that has used a session, closes nothing and has nothing left to do. If it has not ended long after, it says what keeps it.

import { memoryStore, RefreshCoordinator } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";
import { keyringStore } from "refresh-coordinator/stores/keyring";

import { entriesIn } from "../keyring/entries.mjs";
import { say, settings } from "./said.mjs";

const LONG_AFTER = 20_000;

const { path, options, with: what, refreshToken } = settings;
const STORES = {
  "a store in memory": () => ({ store: memoryStore() }),
  "no store": () => ({}),
  "a store in a file": () => ({ store: fileStore(path) }),
  "a file without the kernel's locks": () => ({ store: fileStore(path, { lock: false }) }),
  "a keyring": () => ({ store: keyringStore({ service: "test", file: fileStore(path), entry: entriesIn(`${path}.keyring`) }) }),
  "a BroadcastChannel": () => ({ store: fileStore(path), channel: new BroadcastChannel("a program") }),
};

const auth = new RefreshCoordinator({ ...options, ...STORES[what]() });
auth.subscribe(() => {});
await auth.setTokens({ refresh_token: refreshToken });
await auth.getAccessToken();
// Heard, and looked at.
await Promise.all([auth.refresh(), auth.refresh({ mintedAfterNow: true })]);
await auth.fetch("http://127.0.0.1:9/").catch(() => {});
say("done");
setTimeout(() => {
  console.error(`kept alive by ${process.getActiveResourcesInfo().join(", ")}`);
  process.exit(1);
}, LONG_AFTER).unref();
