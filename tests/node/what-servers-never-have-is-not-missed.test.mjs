// Several servers have a store between them, and neither locks nor a channel: nothing works less well than it should.

import assert from "node:assert/strict";
import test from "node:test";

import { memoryStore, RefreshCoordinator } from "refresh-coordinator";

for (const scope of ["origin", "host", "cluster"]) {
  test(`with a store of scope ${scope} nothing is said to be degraded`, async () => {
    const { read, write } = memoryStore();
    const refresh = () => ({ access_token: "A1", refresh_token: "R1", expires_in: 3_600 });
    const auth = new RefreshCoordinator({ name: "server", refresh, store: { scope, read, write }, sealKey: "0123456789abcdef" });
    const events = [];
    auth.subscribe((event) => event && events.push(event.type));
    await auth.setTokens({ refresh_token: "R0" });
    assert.equal(await auth.getAccessToken(), "A1");
    await new Promise(setImmediate);
    assert.deepEqual(events, ["signed-in", "refreshed"]);
    auth.close();
  });
}
