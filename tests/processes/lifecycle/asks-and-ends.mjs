// A program that wants a token, waits for nothing, and has nothing else to do. Its store can be slow in a way that keeps no program
// alive, as a client of a database may be that has let go of its sockets.

import { RefreshCoordinator } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";

import { say, settings } from "./said.mjs";

/** Comes only if something else keeps the program alive for so long, in milliseconds. */
const slowly = () => new Promise((resolve) => setTimeout(resolve, 500).unref());

const { path, options, slow } = settings;
const file = fileStore(path);
let writes = 0;

/** The first write of a refresh is its claim, the second what it has got. */
async function write(...call) {
  writes += 1;
  if (slow === "store" && writes === 2) await slowly();
  return file.write(...call);
}

async function request(...call) {
  if (slow === "lock") await slowly();
  return file.locks.request(...call);
}

const store = { scope: file.scope, locks: { scope: file.locks.scope, request }, read: file.read, write, watch: file.watch };
const auth = new RefreshCoordinator({ ...options, store });
auth.subscribe((event) => event && say(event.type));
auth.getAccessToken();
