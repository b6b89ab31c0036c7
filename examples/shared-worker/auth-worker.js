// The shared worker: it holds the session for all tabs, in memory only. It lives as long as one of them does.

import { memoryStore, RefreshCoordinator } from "refresh-coordinator";
import { serve } from "refresh-coordinator/worker";

import { clientId, tokenEndpoint } from "./settings.js";

serve(new RefreshCoordinator({ clientId, tokenEndpoint, store: memoryStore() }));
