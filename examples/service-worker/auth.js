// The coordinator, as the pages of this app see it. They have no session of their own: it is in the worker.

import { connect } from "refresh-coordinator/worker";

// Nothing waits for this: calls wait until the worker is there.
navigator.serviceWorker.register(new URL("./service-worker.js", import.meta.url), { type: "module" });

export const auth = connect(navigator.serviceWorker);
