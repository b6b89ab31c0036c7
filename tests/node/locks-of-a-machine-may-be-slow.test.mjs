// Locks that are a machine's answer or refuse, however late: nobody takes them for dead, and goes on without.

import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { RefreshCoordinator, memoryStore } from "refresh-coordinator";

/** Longer than the locks of a page may be silent before they are doubted, and then probed. */
const LATE = 4_000;

test("a lock that is granted late is waited for", async (t) => {
  const order = [];
  const locks = {
    scope: "host",
    async request(_name, _options, callback) {
      await sleep(LATE);
      order.push("granted");
      return callback({});
    },
  };
  const { read, write } = memoryStore();
  const refresh = async () => {
    order.push("presented");
    return { access_token: "A1", refresh_token: "R1", expires_in: 3600 };
  };
  const auth = new RefreshCoordinator({ refresh, name: "slow locks", store: { scope: "host", read, write, locks } });
  t.after(() => auth.close());
  await auth.setTokens({ refresh_token: "R0" });
  assert.equal(await auth.getAccessToken(), "A1");
  assert.deepEqual(order, ["granted", "presented"]);
});
