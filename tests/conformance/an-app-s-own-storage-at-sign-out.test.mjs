// Sign-out, and other endings, where the tokens lie in the app's own storage: it is cleared, and what others did to it stands.

import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";

import { appStore } from "refresh-coordinator/stores/app";

import * as faults from "../authorization-server/faults.mjs";
import { rejects } from "../node/errors.mjs";
import { LIFETIME, tool } from "./keyring.mjs";

test("CL-01 CL-12: nothing is stored: nobody is signed in, and a sign-out asks nobody", async (t) => {
  const { keyring, server, start } = await tool(t);
  keyring.text = undefined;
  const auth = start({ revocationEndpoint: server.revocationEndpoint });
  await rejects(auth.getAccessToken(), "NoSessionError");
  assert.deepEqual(await auth.signOut(), { revoked: false });
  assert.deepEqual([server.oracle.revoked, server.oracle.presentations], [[], 0]);
});

test("CL-02 CL-14: a bare token from an older version is good until it is refused; a sign-out asks nobody, and clears it", async (t) => {
  const { keyring, server, start } = await tool(t);
  keyring.text = '"a bare token"';
  keyring.load = async () => (typeof keyring.session === "string" ? { accessToken: keyring.session, expiresAt: Date.UTC(2100, 0, 1) } : keyring.session);
  const auth = start({ store: appStore(keyring), revocationEndpoint: server.revocationEndpoint });
  assert.equal(await auth.getAccessToken(), "a bare token");
  assert.deepEqual(await auth.signOut(), { revoked: false });
  assert.equal(keyring.text, undefined);
  assert.deepEqual(server.oracle.revoked, []);
});

test("CL-11 CL-13 CL-15 CL-18 CL-19 N-09: a sign-out clears the storage, whatever becomes of the revocation", async (t) => {
  const outcomes = { fine: undefined, refused: faults.answer(500, ""), broken: faults.dropBefore() };
  for (const [name, fault] of Object.entries(outcomes)) {
    const { keyring, server, start, tokens } = await tool(t, { left: LIFETIME });
    const auth = start({ revocationEndpoint: server.revocationEndpoint });
    if (fault) server.next(1, fault, "revocation");
    let there;
    const hold = server.holdRequest("revocation");
    if (!fault) hold.arrived.then(() => ((there = keyring.text), hold.release()));
    else hold.release();
    assert.deepEqual(await auth.signOut(), { revoked: name === "fine" });
    assert.equal(there, undefined, "gone before the server is asked");
    assert.equal(keyring.text, undefined);
    assert.equal(await server.isAlive(tokens.refresh_token), name !== "fine");
    await rejects(auth.getAccessToken(), "NoSessionError");
  }
});

test("N-08: somebody else clears the storage, or stores another user's session, while a refresh is under way: that stands", async (t) => {
  const idToken = (sub) => `e30.${Buffer.from(JSON.stringify({ sub })).toString("base64url")}.s`;
  const other = { accessToken: "theirs", refreshToken: "their refresh token", expiresAt: Date.UTC(2100, 0, 1), idToken: idToken("bob") };
  for (const [left, after] of [[undefined, undefined], [JSON.stringify(other), "theirs"]]) {
    const { keyring, server, start } = await tool(t);
    keyring.session = { ...keyring.session, idToken: idToken("alice") };
    const auth = start({ revocationEndpoint: server.revocationEndpoint });
    const held = server.holdReply();
    const caller = auth.getAccessToken();
    await held.arrived;
    keyring.text = left;
    const revoked = once(server.oracle, "revocation-asked");
    held.release();
    await rejects(caller, "NoSessionError");
    const [{ token }] = await revoked;
    assert.ok(server.oracle.issued.includes(token), "what the refresh brought is revoked");
    assert.equal(keyring.text, left);
    if (after) assert.equal(await auth.getAccessToken(), after);
    else await rejects(auth.getAccessToken(), "NoSessionError");
  }
});
