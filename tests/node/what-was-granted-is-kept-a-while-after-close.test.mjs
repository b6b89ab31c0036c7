// Closed, with new tokens that the store does not take: nobody else has them, so it is asked again for five minutes. Then the process
// may end.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { memoryStore } from "refresh-coordinator";

import { Clock } from "./clock.mjs";
import { assertError, rejection } from "./errors.mjs";
import { coordinator, scene } from "./scene.mjs";
import { TestStore } from "./store.mjs";

const MINUTE = 60_000;
/** The longest time that a troubled store is left alone. */
const REST = 4_000;

const settled = () => new Promise(setImmediate);

/** A coordinator that holds tokens the store does not take. */
async function unwritten(t) {
  const clock = new Clock();
  const store = new TestStore(clock);
  const { locks } = memoryStore();
  const signedIn = await scene(t, { clock, store, locks });
  const { auth, server, expire } = signedIn;
  const events = [];
  auth.subscribe((event) => event && events.push(event));
  const held = server.holdReply();
  expire();
  const caller = auth.getTokens();
  await held.arrived;
  store.instead.write = () => {
    throw new Error("the store is away");
  };
  held.release();
  const tokens = await caller;
  await settled();
  const givenUp = () => events.some(({ type, operation }) => type === "store-failed" && operation === "commit");
  /** Lets so much time go by, and the store fail in it. */
  const passes = async (ms) => {
    for (const end = clock.now() + ms; clock.now() < end && resting(clock); await settled()) {
      clock.advance(Math.min(resting(clock), end - clock.now()));
    }
  };
  return { ...signedIn, store, locks, tokens, events, givenUp, passes };
}

/** How long whoever rests wants to rest. */
const resting = (clock) => clock.sleeping.find((ms) => ms <= REST);

test("a store that comes back within five minutes takes them", async (t) => {
  const { auth, clock, store, server, tokens, events, givenUp, passes } = await unwritten(t);
  await passes(10 * MINUTE);
  assert.equal(givenUp(), false, "as long as it is not closed nothing is given up");
  auth.close();
  await passes(5 * MINUTE - 2 * REST);
  assert.equal(givenUp(), false);
  store.instead = {};
  await passes(REST);
  assert.ok(events.some(({ type }) => type === "refreshed"));
  assert.equal(resting(clock), undefined);
  const { refreshToken } = await coordinator(t, server, { clock, store }).getTokens();
  assert.notEqual(refreshToken, tokens.refreshToken, "it was presented in its turn");
  assert.equal(server.oracle.counts().reuses, 0);
});

test("one that does not is given up, and that is told", async (t) => {
  const { auth, clock, store, locks, server, before, tokens, events, givenUp, passes } = await unwritten(t);
  auth.close();
  await passes(5 * MINUTE + REST);
  assert.ok(givenUp());
  assert.equal(resting(clock), undefined, "nobody waits any more");
  const calls = store.calls.length;
  clock.advance(10 * MINUTE);
  await settled();
  assert.equal(store.calls.length, calls);
  assert.equal(events.filter(({ operation }) => operation === "commit").length, 1);
  // As after a crash: whoever comes next presents the token that was presented, and says that a reply was lost.
  store.instead = {};
  const refused = rejection(coordinator(t, server, { clock, store, locks }).getTokens());
  clock.advance(await clock.asleep(1_200));
  assertError(await refused, "RevokedError", { reason: "response-lost" });
  assert.equal(server.oracle.presentations, 2);
  for (const token of [before.refreshToken, tokens.refreshToken]) assert.ok(!JSON.stringify(events).includes(token));
});

test("a time that was slept through does not count", async (t) => {
  const { auth, clock, store, events, givenUp, passes } = await unwritten(t);
  auth.close();
  await passes(MINUTE);
  clock.advance(60 * MINUTE);
  await settled();
  await passes(3 * MINUTE);
  assert.equal(givenUp(), false);
  store.instead = {};
  await passes(REST);
  assert.ok(events.some(({ type }) => type === "refreshed"));
});

test("a process ends by itself", async () => {
  const path = fileURLToPath(new URL("./processes/the-store-is-gone.mjs", import.meta.url));
  const child = spawn(process.execPath, [path], { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
  const [code] = await once(child, "close");
  assert.equal(out, "given up\ndone\n");
  assert.equal(code, 0);
});
