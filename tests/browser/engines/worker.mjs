// A dedicated worker with a coordinator: asks for a token, says when it holds the lock, and goes on when it is told to. Then it says
// what it got.

import { RefreshCoordinator } from "/pkg/index.js";

const hears = () => new Promise((resolve) => addEventListener("message", ({ data }) => resolve(data), { once: true }));

const clientAuthentication = async () => {
  postMessage("holds the lock");
  await hears();
};
const auth = new RefreshCoordinator({ ...(await hears()), clientAuthentication });
postMessage(await auth.getAccessToken().catch(String));
