// A command-line tool that lets go of what it was doing at ^C, and ends when there is nothing left to do.

import { RefreshCoordinator } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";

import { say, settings } from "./said.mjs";

const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort(new Error("interrupted")));

const auth = new RefreshCoordinator({ ...settings.options, store: fileStore(settings.path) });
try {
  await auth.getAccessToken({ signal: interrupt.signal });
  say("has a token");
} catch (error) {
  say("let go", error.message);
}
