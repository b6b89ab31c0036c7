// A program with the system's keyring, whatever that is: it does one thing, and says what came of it and what it heard.

import { RefreshCoordinator } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";
import { keyringStore } from "refresh-coordinator/stores/keyring";

import { say, settings } from "../lifecycle/said.mjs";

const { path, options, service, member, values = [] } = settings;
const auth = new RefreshCoordinator({ ...options, store: keyringStore({ service, account: "ann", file: fileStore(path) }) });
const events = [];
auth.subscribe((event) => event && events.push([event.type, event.what].filter(Boolean).join(" ")));
try {
  say("got", await auth[member](...values));
} catch (error) {
  say("failed", { name: error.name, code: error.code });
}
// Events come after what they speak of.
setImmediate(() => say("heard", events));
