// The problem itself, without the package: facts about the authorization server that all other tests rest on.

import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";

import { ByHand } from "../../www/story/by-hand.mjs";
import * as faults from "../authorization-server/faults.mjs";
import * as personalities from "../authorization-server/personalities.mjs";
import { PUBLIC_CLIENT, startAuthorizationServer } from "../authorization-server/provider.mjs";

async function begin(t, personality) {
  const server = await startAuthorizationServer(personality);
  t.after(() => server.close());
  const { tokens, session } = await server.signIn();
  const byHand = new ByHand({ server, clientId: PUBLIC_CLIENT, tokens });
  return { server, tokens, session, byHand };
}

/** One presentation, as plain as can be. */
const present = ({ tokenEndpoint }, { refresh_token }) =>
  fetch(tokenEndpoint, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "refresh_token", client_id: PUBLIC_CLIENT, refresh_token }),
  });

test("a refresh rotates the token", async (t) => {
  const { server, tokens, session } = await begin(t, personalities.strict);
  const response = await present(server, tokens);
  const renewed = await response.json();
  assert.equal(response.status, 200);
  assert.notEqual(renewed.refresh_token, tokens.refresh_token);
  assert.deepEqual(Object.keys(renewed).sort(), ["access_token", "expires_in", "id_token", "refresh_token", "scope", "token_type"]);
  assert.equal(server.oracle.counts(session).rotations, 1);
  assert.equal(await server.isAlive(renewed.refresh_token), true);
  assert.equal(await server.isActive(renewed.access_token), true);
});

for (const requests of [2, 5, 20]) {
  test(`${requests} requests at once: one succeeds, and the session is over for that one too`, async (t) => {
    const { server, tokens, session } = await begin(t, personalities.strict);
    const responses = await Promise.all(Array.from({ length: requests }, () => present(server, tokens)));
    const granted = responses.filter((response) => response.ok);
    assert.equal(granted.length, 1);
    const winner = await granted[0].json();
    assert.ok(server.oracle.counts(session).reuses >= 1, "whoever comes last finds no token at all");
    assert.equal(await server.isAlive(winner.refresh_token), false);
    assert.equal(await server.isActive(winner.access_token), false);
  });
}

test("sharing the request is not enough: whoever is late with the spent token ends the session", async (t) => {
  const { server, tokens, session, byHand } = await begin(t, personalities.strict);
  const all = await Promise.all(Array.from({ length: 1000 }, () => byHand.renew(tokens)));
  assert.equal(new Set(all).size, 1);
  assert.equal(server.oracle.presentations, 1);
  const reuse = once(server.oracle, "reuse");
  await assert.rejects(byHand.renew(tokens), /invalid_grant/);
  await reuse;
  assert.equal(server.oracle.counts(session).revocations, 1);
  assert.equal(await server.isAlive(all[0].refresh_token), false);
});

test("within its grace period a server accepts the previous token again", async (t) => {
  const { server, tokens, session } = await begin(t, personalities.grace);
  const [first, second] = [await (await present(server, tokens)).json(), await (await present(server, tokens)).json()];
  assert.notEqual(first.refresh_token, second.refresh_token);
  assert.equal(await server.isAlive(first.refresh_token), true);
  assert.equal(await server.isAlive(second.refresh_token), true);
  assert.deepEqual({ ...server.oracle.counts(session) }, { granted: 2, refused: 0, rotations: 2, reuses: 0, revocations: 0, signOuts: 0 });
});

test("a slow server grants two requests at once, and the session forks", async (t) => {
  const { server, tokens } = await begin(t, personalities.slow);
  const responses = await Promise.all([present(server, tokens), present(server, tokens)]);
  const renewed = await Promise.all(responses.map((response) => response.json()));
  for (const { refresh_token } of renewed) assert.equal(await server.isAlive(refresh_token), true);
  assert.equal(new Set(renewed.map(({ refresh_token }) => refresh_token)).size, 2);
});

test("a reply lost before the rotation costs nothing, one lost after it costs the session", async (t) => {
  const before = await begin(t, personalities.lostBeforeRotation);
  assert.ok(await before.byHand.renew(before.tokens));
  assert.equal(before.server.oracle.presentations, 2);
  assert.equal(before.server.oracle.counts(before.session).rotations, 1);

  const after = await begin(t, personalities.lostAfterRotation);
  await assert.rejects(after.byHand.renew(after.tokens), /invalid_grant/);
  assert.equal(after.server.oracle.counts(after.session).reuses, 1);

  const graceful = await begin(t, personalities.graceAndLostAfterRotation);
  const { refresh_token } = await graceful.byHand.renew(graceful.tokens);
  assert.equal(await graceful.server.isAlive(refresh_token), true);
});

test("a server that does not rotate answers with the same token", async (t) => {
  const { server, tokens } = await begin(t, personalities.nonRotating);
  const renewed = await (await present(server, tokens)).json();
  assert.equal(renewed.refresh_token, tokens.refresh_token);
  assert.notEqual(renewed.access_token, tokens.access_token);
  assert.equal(server.oracle.counts().rotations, 0);
});

test("revoking the replaced token revokes the whole session", async (t) => {
  const { server, tokens, session } = await begin(t, personalities.strict);
  const renewed = await (await present(server, tokens)).json();
  const body = new URLSearchParams({ token: tokens.refresh_token, client_id: PUBLIC_CLIENT });
  await fetch(server.revocationEndpoint, { method: "POST", body });
  assert.equal(server.oracle.counts(session).signOuts, 1);
  assert.equal(await server.isAlive(renewed.refresh_token), false);
});

test("the next requests can be made to fail, to wait, or to vanish", async (t) => {
  const { server, tokens } = await begin(t, personalities.strict);
  server.next(1, faults.unavailable());
  server.next(1, faults.tooManyRequests(7));
  server.next(1, faults.dropBefore());
  assert.equal((await present(server, tokens)).status, 503);
  const throttled = await present(server, tokens);
  assert.deepEqual([throttled.status, throttled.headers.get("retry-after")], [429, "7"]);
  await assert.rejects(present(server, tokens), /fetch failed/);

  const held = server.holdRequest();
  const waiting = present(server, tokens);
  await held.arrived;
  assert.equal(server.oracle.counts().granted, 0);
  held.release();
  const renewed = await (await waiting).json();

  const heldReply = server.holdReply();
  const granted = once(server.oracle, "granted");
  const answered = present(server, renewed);
  await Promise.all([granted, heldReply.arrived]);
  heldReply.release();
  assert.equal((await answered).status, 200);
});
