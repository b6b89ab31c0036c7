// A program that ends one of its threads while that thread's refresh is at the server, and then asks by itself.

import { Worker } from "node:worker_threads";

import { RefreshCoordinator } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";

import { say, settings, told } from "./said.mjs";

const alive = setInterval(() => {}, 1_000);
const thread = new Worker(new URL("thread.mjs", import.meta.url), { workerData: { ...settings, callers: 1 } });
thread.once("message", () => thread.postMessage("ask"));
await told("end the thread");
await thread.terminate();
say("ended the thread");
const auth = new RefreshCoordinator({ ...settings.options, store: fileStore(settings.path) });
say("got", await auth.getAccessToken());
clearInterval(alive);
