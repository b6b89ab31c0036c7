// A program on a host that has all a page has, as it seems: `navigator.locks` of Node 24 reach the threads of one process, and
// an IndexedDB that was put there has the rest of the program take it for a page.

import { memoryStore, RefreshCoordinator } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";

import { say, settings } from "./said.mjs";

const { path, options, locks } = settings;
if (globalThis.navigator?.locks === undefined) {
  // What Node 24 has, as far as this needs it.
  const userAgent = `Node.js/${process.versions.node.split(".")[0]}`;
  Object.defineProperty(globalThis, "navigator", { value: { userAgent, locks: memoryStoreLocks() }, configurable: true });
}
globalThis.indexedDB ??= {};

const file = fileStore(path, { lock: false });
const store = { scope: settings.scope, read: file.read, write: file.write, watch: file.watch };
const auth = new RefreshCoordinator({ ...options, store, ...(locks === "given" && { locks: navigator.locks }) });
auth.subscribe((event) => event && say(event.type));
say("asks");
say("got", await auth.getAccessToken());

function memoryStoreLocks() {
  const { request } = memoryStore().locks;
  return { request: (name, ...rest) => (rest.length === 1 ? request(name, {}, rest[0]) : request(name, ...rest)) };
}
