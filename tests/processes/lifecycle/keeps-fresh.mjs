// A program that has its tokens kept fresh, and does nothing else: for a while, and then no longer.

import { RefreshCoordinator } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";

import { say, settings } from "./said.mjs";

const auth = new RefreshCoordinator({ ...settings.options, store: fileStore(settings.path) });
const stop = auth.keepFresh();
await auth.getAccessToken();
say("has a token");
// Fires only if something else keeps the program alive.
setTimeout(() => {
  say("is still there");
  stop();
}, 200).unref();
