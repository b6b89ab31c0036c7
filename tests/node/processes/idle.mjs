// A process that made a coordinator, signed in, and has nothing left to do.

import { RefreshCoordinator } from "refresh-coordinator";

const auth = new RefreshCoordinator({ clientId: "cli", tokenEndpoint: "http://127.0.0.1:9/token" });
await auth.setTokens({ access_token: "A0", refresh_token: "R0", expires_in: 3600 });
await auth.getAccessToken();
console.log("done");
