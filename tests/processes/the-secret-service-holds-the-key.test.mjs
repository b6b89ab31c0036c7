// The real keyring of a Linux desktop, by the real `@napi-rs/keyring`: unlocked, locked, and not there.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";

import { PUBLIC_CLIENT, startAuthorizationServer } from "../authorization-server/provider.mjs";
import { home } from "./keyring/secret-service.mjs";
import { run } from "./lifecycle/programs.mjs";

/** A process that has just begun would take over what is there. */
const NEW = { mintedAfterNow: true };
const SERVICE = "refresh-coordinator's tests";

/** A server, a user with a home, and programs that this user runs. */
async function scene(t) {
  const server = await startAuthorizationServer();
  t.after(() => server.close());
  const user = await home(t);
  const path = join(user.without.HOME, "credentials.json");
  const settings = { path, service: SERVICE, options: { clientId: PUBLIC_CLIENT, tokenEndpoint: server.tokenEndpoint } };
  /** What came of a member that a program calls, and what it heard. */
  async function uses(env, member, ...values) {
    const program = run(t, "../keyring/uses.mjs", { ...settings, member, values }, { env });
    const events = await program.says("heard");
    const { how, said, printed } = await program.ended;
    assert.equal(how, 0, printed);
    return { [said[0]]: await program.says(said[0]), events };
  }
  const tokenIn = async () => {
    const text = await readFile(path, "utf8");
    return server.oracle.issued.some((token) => text.includes(token));
  };
  return { server, user, settings, uses, tokenIn };
}

test("what one process has sealed, another one opens and refreshes, also after the keyring was away", async (t) => {
  const { server, user, uses, tokenIn } = await scene(t);
  const { tokens, session } = await server.signIn();
  const first = await user.start();
  const signedIn = await uses(first.env, "setTokens", tokens);
  assert.equal(signedIn.got.accessToken, tokens.access_token);
  assert.equal(signedIn.events.includes("degraded keyring"), false);
  assert.equal(await tokenIn(), false);
  const { got } = await uses(first.env, "refresh", NEW);
  assert.equal(await server.isActive(got.accessToken), true);
  assert.equal(await tokenIn(), false);
  await first.stop();

  // Nobody has signed out: it must be said that the session cannot be opened, not that there is none.
  const away = await uses(user.without, "getAccessToken");
  assert.deepEqual(away.failed, { name: "StoreError", code: "store-sealed" });
  assert.ok(away.events.includes("degraded keyring"));
  const locked = await user.start({ locked: true });
  assert.deepEqual((await uses(locked.env, "getAccessToken")).failed, { name: "StoreError", code: "store-sealed" });
  await locked.stop();

  const again = await user.start();
  assert.equal((await uses(again.env, "getAccessToken")).got, got.accessToken);
  assert.equal(await server.isActive((await uses(again.env, "refresh", NEW)).got.accessToken), true);
  assert.equal(await tokenIn(), false);
  assert.deepEqual([server.oracle.presentations, server.oracle.counts(session).rotations, server.oracle.counts().refused], [2, 2, 0]);
});

test("without a keyring the file has the tokens, which is said; once there is one, it is sealed", async (t) => {
  const { server, user, uses, tokenIn } = await scene(t);
  const { tokens } = await server.signIn();
  const { got, events } = await uses(user.without, "setTokens", tokens);
  assert.equal(got.accessToken, tokens.access_token);
  assert.ok(events.includes("degraded keyring"));
  assert.equal(await tokenIn(), true);

  const bus = await user.start();
  const refreshed = await uses(bus.env, "refresh", NEW);
  assert.equal(await server.isActive(refreshed.got.accessToken), true);
  assert.equal(refreshed.events.includes("degraded keyring"), false);
  assert.equal(await tokenIn(), false);
});
