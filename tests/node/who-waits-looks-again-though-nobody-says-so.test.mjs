// Nobody says that the other one has finished, for there is no channel and the store cannot be watched, or its hint is lost. No locks
// either: so who waits must look.

import assert from "node:assert/strict";
import test from "node:test";

import { RefreshCoordinator } from "refresh-coordinator";

import { Clock } from "./clock.mjs";
import { TestStore } from "./store.mjs";

const stores = {
  "a store that cannot be watched": (clock) => new TestStore(clock),
  "a watch that says nothing": (clock) => Object.assign(new TestStore(clock), { watch: () => () => {} }),
};

for (const [title, open] of Object.entries(stores)) {
  test(`${title}: the one who waits adopts what the other one got, long before its intent would have run out`, (t) => adopts(t, open));
}

async function adopts(t, open) {
  const clock = new Clock();
  const store = open(clock);
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
    const auth = new RefreshCoordinator({ clock, store, name: "polls", refresh: () => store.refresh() });
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
  answer({ access_token: "A1", refresh_token: "R1", expires_in: 3_600 });
  // The clock of both stands still: only a look can tell.
  assert.deepEqual(await Promise.all([first, second]), ["A1", "A1"]);
  assert.equal(one.stats().presentations + other.stats().presentations, 1);
}
