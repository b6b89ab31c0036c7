// What sharing a promise cannot do: a caller who still carries the spent token after the refresh has ended.

import assert from "node:assert/strict";
import test from "node:test";

import { nonRotating } from "../authorization-server/personalities.mjs";
import { Clock } from "./clock.mjs";
import { rejects } from "./errors.mjs";
import { LIFETIME, authorizationServer, coordinator, scene, times } from "./scene.mjs";
import { TestStore } from "./store.mjs";

for (const [delay, name] of [[50, "50 ms"], [1_000, "1 s"], [30_000, "30 s"]]) {
  test(`N-01: ${name} after the refresh, the spent tokens come in again in session mode`, async (t) => {
    const { server, auth, clock, tokens, before, expire, counts } = await scene(t);
    expire();
    const current = await auth.getTokens();
    clock.advance(delay);

    assert.deepEqual(await auth.refresh({ rejected: before.accessToken }), current, "its access token was refused");
    assert.deepEqual(await auth.setTokens(tokens), current, "somebody sets the old tokens again");
    assert.deepEqual(await auth.getTokens(), current);
    assert.equal(server.oracle.presentations, 1);
    assert.deepEqual(counts(), { granted: 1, refused: 0, rotations: 1, reuses: 0, revocations: 0, signOuts: 0 });
    assert.equal(await server.isAlive(current.refreshToken), true);
  });

  test(`N-01: ${name} after the refresh, a spent cookie comes in again in successor mode`, async (t) => {
    const [server, clock] = [await authorizationServer(t), new Clock()];
    const { tokens } = await server.signIn();
    const auth = coordinator(t, server, { clock });
    const successor = await auth.renew({ refreshToken: tokens.refresh_token });
    clock.advance(delay);

    const late = times(100, () => auth.renew({ refreshToken: tokens.refresh_token }));
    assert.equal(new Set(late).size, 1);
    assert.deepEqual(await late[0], successor);
    const elsewhere = coordinator(t, server, { clock });
    assert.deepEqual(await elsewhere.renew({ refreshToken: tokens.refresh_token }), successor, "in the next request's coordinator too");
    assert.equal(server.oracle.presentations, 1);
    assert.equal(await server.isAlive(successor.refreshToken), true);
  });
}

test("a chain R0, R1, R2 is followed from R0, and from R1", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const { tokens, session } = await server.signIn();
  const auth = coordinator(t, server, { clock });
  const R0 = { refreshToken: tokens.refresh_token };
  const R1 = await auth.renew(R0);
  clock.advance(LIFETIME);
  const R2 = await auth.renew(R1);
  assert.equal(server.oracle.presentations, 2);

  assert.deepEqual(await auth.renew(R0), R2);
  assert.deepEqual(await auth.renew(R1), R2);
  assert.deepEqual(await auth.renew(R2), R2);
  assert.equal(server.oracle.presentations, 2);
  assert.equal(server.oracle.counts(session).reuses, 0);
  assert.equal(await server.isAlive(R2.refreshToken), true);
});

test("whoever follows a chain to an expired end refreshes there", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const { tokens, session } = await server.signIn();
  const auth = coordinator(t, server, { clock });
  const R0 = { refreshToken: tokens.refresh_token };
  await auth.renew(R0);
  for (let rotations = 2; rotations <= 6; rotations += 1) {
    clock.advance(LIFETIME);
    const newest = await auth.renew(R0);
    assert.equal(server.oracle.counts(session).rotations, rotations);
    assert.equal(await server.isAlive(newest.refreshToken), true);
  }
  assert.equal(server.oracle.counts(session).reuses, 0);
});

test("a chain is followed in session mode: R0 is ignored two rotations later", async (t) => {
  const { server, auth, tokens, expire } = await scene(t);
  expire();
  await auth.getTokens();
  expire();
  const current = await auth.getTokens();
  assert.deepEqual(await auth.setTokens(tokens), current);
  assert.equal(server.oracle.presentations, 2);
});

test("carried tokens whose access token is good are not renewed", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const { tokens } = await server.signIn();
  const auth = coordinator(t, server, { clock });
  const carried = { accessToken: tokens.access_token, refreshToken: tokens.refresh_token, expiresAt: clock.now() + LIFETIME };
  assert.equal((await auth.renew(carried)).accessToken, tokens.access_token);
  assert.equal(server.oracle.presentations, 0);
});

test("renew({ newer }): another access token than the one carried, and not more often than it needs", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const { tokens, session } = await server.signIn();
  const auth = coordinator(t, server, { clock });
  const carried = { accessToken: tokens.access_token, refreshToken: tokens.refresh_token, expiresAt: clock.now() + LIFETIME };
  const many = times(100, () => auth.renew(carried, { newer: true }));
  const successor = await many[0];
  assert.notEqual(successor.accessToken, carried.accessToken);
  assert.deepEqual(await Promise.all(many), Array(100).fill(successor));
  assert.deepEqual(await auth.renew(carried, { newer: true }), successor);
  assert.equal(server.oracle.presentations, 1);
  assert.notEqual((await auth.renew(successor, { newer: true })).accessToken, successor.accessToken);
  // Without an access token there is nothing to be newer than.
  assert.equal((await auth.renew({ refreshToken: carried.refreshToken }, { newer: true })).accessToken, successor.accessToken);
  assert.equal(server.oracle.counts(session).rotations, 2);
});

test("renew({ mintedAfterNow }): an exchange for each call that comes after the last one was sent", async (t) => {
  const server = await authorizationServer(t);
  const { tokens, session } = await server.signIn();
  const auth = coordinator(t, server);
  const R0 = { refreshToken: tokens.refresh_token };
  const seen = new Set();
  for (let rotations = 1; rotations <= 3; rotations += 1) {
    const [one, other] = await Promise.all(times(2, () => auth.renew(R0, { mintedAfterNow: true })));
    assert.deepEqual(one, other);
    seen.add(one.accessToken);
    assert.equal(server.oracle.counts(session).rotations, rotations);
  }
  assert.equal(seen.size, 3);
});

for (const name of ["newer", "mintedAfterNow", "canPersist"]) {
  test(`renew({ ${name} }) takes true and false`, async (t) => {
    const server = await authorizationServer(t);
    const auth = coordinator(t, server);
    const error = await rejects(auth.renew({ refreshToken: "R" }, { [name]: "yes" }), "ConfigurationError", { code: "wrong-argument" });
    assert.match(error.message, new RegExp(`\`${name}\``));
    assert.equal(server.oracle.presentations, 0);
  });
}

test("a day-old cookie whose successor is forgotten is superseded, and is not presented", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const { tokens } = await server.signIn();
  const auth = coordinator(t, server, { clock, store: new TestStore(clock) });
  const successor = await auth.renew({ refreshToken: tokens.refresh_token });
  clock.advance(2 * 3600_000);
  await rejects(auth.renew({ refreshToken: tokens.refresh_token }), "RevokedError", { reason: "superseded" });
  assert.equal(server.oracle.presentations, 1);
  assert.equal(await server.isAlive(successor.refreshToken), true, "the one who has the newest cookie goes on");
});

test("a server that does not rotate: the same token, again and again", async (t) => {
  const [server, clock] = [await authorizationServer(t, nonRotating), new Clock()];
  const { tokens } = await server.signIn();
  const auth = coordinator(t, server, { clock });
  for (let round = 1; round <= 3; round += 1) {
    const renewed = await Promise.all(times(50, () => auth.renew({ refreshToken: tokens.refresh_token })));
    assert.equal(new Set(renewed.map(({ accessToken }) => accessToken)).size, 1);
    assert.equal(renewed[0].refreshToken, tokens.refresh_token);
    assert.equal(server.oracle.presentations, round);
    clock.advance(LIFETIME);
  }
});
