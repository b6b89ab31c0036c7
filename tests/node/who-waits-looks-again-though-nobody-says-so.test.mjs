// Nobody says that the other one has finished, for there is no channel and the store cannot be watched, or its hint is lost. No locks
// either: so who waits must look.

import assert from "node:assert/strict";
import test from "node:test";

import { RefreshCoordinator } from "refresh-coordinator";

import { Clock } from "./clock.mjs";
import { TestStore } from "./store.mjs";

/** How each is told, and the least time between two looks in milliseconds: who may be told does not look so often. */
const hosts = {
  "a store that cannot be watched": { least: 0 },
  "a watch that says nothing": { watch: () => () => {}, least: 1_900 },
  "a channel that says nothing": { channel: { postMessage() {}, addEventListener() {}, removeEventListener() {} }, least: 1_900 },
};

for (const [title, host] of Object.entries(hosts)) {
  test(`${title}: the one who waits adopts what the other one got, long before its intent would have run out`, (t) => adopts(t, host));
}

async function adopts(t, { watch, channel, least }) {
  const clock = new Clock();
  const store = Object.assign(new TestStore(clock), watch && { watch });
  let answer;
  const sent = new Promise((called) => {
    answer = (tokens) => tokens;
    store.refresh = () =>
      new Promise((resolve) => {
        answer = resolve;
        called();
      });
  });
  const coordinator = () => {
    const auth = new RefreshCoordinator({ clock, store, channel, name: "polls", refresh: () => store.refresh() });
    t.after(() => auth.close());
    return auth;
  };
  const [one, other] = [coordinator(), coordinator()];
  await one.setTokens({ access_token: "A0", refresh_token: "R0", expires_in: 3_600 });
  await other.getAccessToken();
  clock.advance(3_600_000);

  const first = one.getAccessToken();
  await sent;
  const waits = new Promise((resolve) => other.subscribe((event) => event?.type === "waiting" && resolve()));
  const second = other.getAccessToken();
  await waits;
  const began = performance.now();
  answer({ access_token: "A1", refresh_token: "R1", expires_in: 3_600 });
  // The clock of both stands still: only a look can tell.
  assert.deepEqual(await Promise.all([first, second]), ["A1", "A1"]);
  assert.ok(performance.now() - began >= least);
  assert.equal(one.stats().presentations + other.stats().presentations, 1);
}
