// A process in which every refresh is refused, in each way, and nobody looks at the promises.

import { RefreshCoordinator } from "refresh-coordinator";

const refusals = [
  () => Promise.reject(new Error("no network")),
  () => Promise.reject(Object.assign(new Error("refused"), { status: 400, error: "invalid_grant" })),
  () => {
    throw "synchronously";
  },
  () => Response.json({ error: "invalid_client" }, { status: 401 }),
];

for (const [index, refusal] of refusals.entries()) {
  const auth = new RefreshCoordinator({ refresh: refusal, retries: 0, session: `s${index}` });
  const session = await auth.setTokens({ refresh_token: `R${index}` }).catch(() => {});
  auth.getAccessToken();
  auth.getTokens();
  auth.refresh();
  auth.refresh({ mintedAfterNow: true });
  auth.renew({ refresh_token: `carried ${index}` });
  auth.run(() => 5).catch(() => {});
  await auth.getAccessToken().catch(() => session);
}
console.log("done");
