// The service worker: it refreshes, and finishes what it has begun when the page that asked is gone. The browser stops it whenever it
// is idle, so the session is in IndexedDB, where a coordinator keeps it if nothing else is said.

import { RefreshCoordinator } from "refresh-coordinator";
import { serve, waitUntil } from "refresh-coordinator/worker";

import { clientId, tokenEndpoint } from "./settings.js";

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

serve(new RefreshCoordinator({ clientId, tokenEndpoint, waitUntil }));
