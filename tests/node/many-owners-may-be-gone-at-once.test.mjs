// A server of many sessions dies with all of them under way. Another one, which has as many, waits for each of them until its intent has
// ended, and takes it over: the many watches do not get into each other's way.

import assert from "node:assert/strict";
import test from "node:test";

import { memoryStore } from "refresh-coordinator";

import { Clock } from "./clock.mjs";
import { authorizationServer, coordinator, times } from "./scene.mjs";

const SESSIONS = 150;
/** For how long an intent lives, in milliseconds: the timeout and a half of it, at most 5 s. */
const LEASE = 15_000;

test("whoever waits for a hundred and fifty owners that are gone takes over from all of them", async (t) => {
  const server = await authorizationServer(t);
  // Like a database, and unlike the memory of a process, it has no locks that would end with their holder.
  const { locks: _, ...store } = memoryStore();
  const clock = new Clock();
  const cookies = await Promise.all(times(SESSIONS, async () => (await server.signIn()).tokens.refresh_token));

  // A process that is killed: its time does not go on, and its requests never arrive.
  let sent = 0;
  const allSent = new Promise((resolve) => {
    const dead = coordinator(t, server, { store, clock: new Clock(), fetch: () => ((sent += 1) === SESSIONS && resolve(), new Promise(() => {})) });
    for (const refresh_token of cookies) dead.renew({ refresh_token }).catch(() => {});
  });
  await allSent;

  const alive = coordinator(t, server, { store, clock, lockWait: 4 * LEASE, callTimeout: 5 * LEASE });
  const renewed = Promise.all(cookies.map((refresh_token) => alive.renew({ refresh_token })));
  await clock.asleep(() => clock.sleeping.filter((ms) => ms === LEASE).length >= SESSIONS);
  assert.equal(server.oracle.presentations, 0);
  clock.advance(LEASE);
  const got = await renewed;
  assert.equal(new Set(got.map(({ accessToken }) => accessToken)).size, SESSIONS);
  assert.equal(server.oracle.presentations, SESSIONS);
  assert.equal(alive.stats().takeOvers, SESSIONS);
});
