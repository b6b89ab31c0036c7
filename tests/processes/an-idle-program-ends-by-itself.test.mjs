// A coordinator that nobody closes: its watch, its timers, its lock and its channel keep no program alive that has nothing else to do.

import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";

import { PUBLIC_CLIENT, startAuthorizationServer } from "../authorization-server/provider.mjs";
import { folder, run, signedIn } from "./lifecycle/programs.mjs";

const HOLDINGS = [
  "no store",
  "a store in memory",
  "a store in a file",
  "a file without the kernel's locks",
  "a keyring",
  "a BroadcastChannel",
];

test("a program ends", async (t) => {
  const server = await startAuthorizationServer();
  t.after(() => server.close());
  const options = { clientId: PUBLIC_CLIENT, tokenEndpoint: server.tokenEndpoint };
  for (const what of HOLDINGS) {
    await t.test(`with ${what}`, async (t) => {
      const { tokens, session } = await server.signIn();
      const path = join(await folder(t), "credentials.json");
      const program = run(t, "idle.mjs", { path, options, with: what, refreshToken: tokens.refresh_token });
      const { how, said, printed } = await program.ended;
      assert.equal(printed, "");
      assert.equal(how, 0);
      assert.deepEqual(said, ["done"]);
      assert.equal(server.oracle.counts(session).refused, 0);
    });
  }
});

test("`keepFresh` keeps a program alive as an interval does, until it is ended", async (t) => {
  const { settings } = await signedIn(t);
  const { how, said, printed } = await run(t, "keeps-fresh.mjs", settings).ended;
  assert.equal(how, 0, printed);
  assert.deepEqual(said, ["has a token", "is still there"]);
});
