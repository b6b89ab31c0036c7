// What only a page has, as users hand it over. Compiled by `npm test` where there are types of the DOM, never run.

import { webStorageStore, type WebStorageStore } from "refresh-coordinator/stores/web";
import { connect, type Coordinator } from "refresh-coordinator/worker";

export const mirror: WebStorageStore = webStorageStore({ key: "session", storage: sessionStorage });

export const coordinators: readonly Coordinator[] = [
  connect(() => new SharedWorker("./auth-worker.js", { type: "module" })),
  connect(navigator.serviceWorker),
  connect(new Worker("./auth-worker.js")),
  connect(new MessageChannel().port1),
];
