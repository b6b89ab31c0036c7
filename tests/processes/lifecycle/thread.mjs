// One thread of a program. It closes nothing, and ends when it has nothing left to do.

import { once } from "node:events";
import { parentPort, workerData } from "node:worker_threads";

import { RefreshCoordinator } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";

const { path, options, callers, store } = workerData;
const auth = new RefreshCoordinator({ ...options, ...(store === "memory" ? {} : { store: fileStore(path, store) }) });
if (store === "memory") await auth.setTokens({ access_token: `of this thread ${Math.random()}`, expires_in: 3600 });
parentPort.postMessage("ready");
await once(parentPort, "message");
parentPort.postMessage(await Promise.all(Array.from({ length: callers }, () => auth.getAccessToken())));
