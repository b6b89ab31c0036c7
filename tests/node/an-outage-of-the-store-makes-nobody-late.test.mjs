// The store is away for longer than an intent lives, while a reply is on its way, or it answers reads and takes no writes. Whoever waits
// for its owner has not watched it in that time: the owner, which lives, has its turn before anybody takes over.

import assert from "node:assert/strict";
import test from "node:test";

import { memoryStore } from "refresh-coordinator";

import { Clock } from "./clock.mjs";
import { authorizationServer, coordinator } from "./scene.mjs";

/** For how long an intent lives, in milliseconds. */
const LEASE = 15_000;

/** How long an owner is given at least when the store is back, in milliseconds. */
const TURN = 10_000;

for (const { title, away } of [
  { title: "was away", away: ["read", "write"] },
  { title: "refused all writes, and answered reads,", away: ["write"] },
]) {
  test(`a store that ${title} for longer than an intent lives costs no session`, async (t) => {
    const server = await authorizationServer(t);
    const { locks: _, ...store } = memoryStore();
    let inTrouble = false;
    for (const member of away) {
      const does = store[member];
      store[member] = (...values) => {
        if (inTrouble) throw new Error("the database is in trouble");
        return does(...values);
      };
    }
    const clock = new Clock();
    const one = coordinator(t, server, { store, clock });
    const other = coordinator(t, server, { store, clock, lockWait: 4 * LEASE, callTimeout: 5 * LEASE });
    const { tokens, session } = await server.signIn();
    const carried = { refresh_token: tokens.refresh_token };

    const held = server.holdReply();
    const renewing = one.renew(carried);
    await held.arrived;
    const waiting = other.renew(carried);
    await clock.asleep(LEASE);
    inTrouble = true;
    held.release();
    // Whoever asked has the tokens, although they are not stored yet.
    const mine = await renewing;
    // The other one looks, and is told of the trouble.
    clock.advance(LEASE);
    await assert.rejects(waiting, { name: "StoreError" });
    inTrouble = false;
    const again = other.renew(carried);
    await clock.asleep((ms) => TURN <= ms && ms <= LEASE);
    clock.advance(4_000);
    assert.equal((await again).accessToken, mine.accessToken);
    assert.deepEqual(server.oracle.counts(session), { granted: 1, refused: 0, rotations: 1, reuses: 0, revocations: 0, signOuts: 0 });
  });
}
