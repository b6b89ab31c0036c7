// The coordinator, as the pages of this app see it. They have no session of their own: it is in the worker.

import { connect } from "refresh-coordinator/worker";

// A function, so that there is another worker when this one is gone.
export const auth = connect(() => new SharedWorker(new URL("./auth-worker.js", import.meta.url), { type: "module", name: "auth" }));
