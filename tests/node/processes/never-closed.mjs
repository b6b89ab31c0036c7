// A process that refreshed on the real clock, several times and in both modes, and closed nothing.

import { RefreshCoordinator, memoryStore } from "refresh-coordinator";

let count = 0;
const refresh = async () => ({ access_token: `A${(count += 1)}`, refresh_token: `R${count}`, expires_in: 3600 });
const store = memoryStore();
const [one, two] = [new RefreshCoordinator({ refresh, store }), new RefreshCoordinator({ refresh, store })];
one.subscribe(() => {});
await one.setTokens({ refresh_token: "R0" });
await Promise.all([one.getAccessToken(), two.getAccessToken(), one.renew({ refresh_token: "other" })]);
await one.refresh();
await two.fetch("http://127.0.0.1:9/").catch(() => {});
console.log("done");
