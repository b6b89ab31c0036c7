// A process whose store takes the claim, and then nothing any more; that closes its coordinator and has nothing else to do. A minute of
// its clock takes a tenth of a second.

import { RefreshCoordinator, memoryStore } from "refresh-coordinator";

const HASTE = 600;
/** More often than anybody asks in five minutes: without an end this process would not end either. */
const TRIES = 2_000;

const clock = {
  now: () => Date.now(),
  monotonic: () => performance.now() * HASTE,
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms / HASTE);
      signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
    }),
};

const honest = memoryStore();
let [gone, tries] = [false, 0];
const store = {
  read: (key) => honest.read(key),
  write(key, value, conditions) {
    if (!gone) return honest.write(key, value, conditions);
    tries += 1;
    if (tries === TRIES) {
      console.log("it goes on for ever");
      process.exit(1);
    }
    throw new Error("the store is gone");
  },
};

const refresh = async () => {
  gone = true;
  return { access_token: "A1", refresh_token: "R1", expires_in: 3600 };
};
const auth = new RefreshCoordinator({ refresh, store, clock });
auth.subscribe((event) => {
  if (event?.operation === "commit") console.log("given up");
});
await auth.setTokens({ refresh_token: "R0" });
await auth.getAccessToken();
auth.close();
process.on("exit", () => console.log("done"));
