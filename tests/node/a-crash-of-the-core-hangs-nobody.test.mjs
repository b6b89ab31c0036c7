// A trap in the core is a defect of ours. Then every open promise rejects, and the next coordinator gets a fresh core.
//
// The traps are real ones: the memory of the running instance is overwritten, so that its next step leads nowhere.

import assert from "node:assert/strict";
import test from "node:test";

import { memoryStore } from "refresh-coordinator";

import { grace } from "../authorization-server/personalities.mjs";
import { Clock } from "./clock.mjs";
import { rejection, rejects } from "./errors.mjs";
import { LIFETIME, coordinator, scene } from "./scene.mjs";
import { TestStore } from "./store.mjs";

/** Every instance of the core that this process makes. */
const instances = [];

globalThis.WebAssembly.Instance = class extends WebAssembly.Instance {
  constructor(...given) {
    super(...given);
    instances.push(this);
  }
};

/** Ruins the core that lives now. */
function ruin() {
  new Uint8Array(instances.at(-1).exports.memory.buffer).fill(0xff);
}

test("who waits for a reply hears it, and so does whoever asks afterwards", async (t) => {
  const { server, auth, expire } = await scene(t);
  expire();
  const hold = server.holdRequest();
  const waiting = auth.getAccessToken();
  await hold.arrived;
  ruin();
  hold.release();
  const error = await rejection(waiting);
  assert.equal(error.name, "InternalError");
  assert.match(error.message, /new RefreshCoordinator/);
  await rejects(auth.getAccessToken(), "InternalError");
  await rejects(auth.refresh(), "InternalError");
  await rejects(auth.setTokens({ access_token: "A" }), "InternalError");
});

test("a call that traps rejects; it does not throw", async (t) => {
  const { auth, expire } = await scene(t);
  expire();
  ruin();
  const called = auth.getAccessToken();
  await rejects(called, "InternalError");
  auth.close();
});

test("the next coordinator has a core of its own, and finds the session in the store", async (t) => {
  const clock = new Clock();
  const store = new TestStore(clock);
  const { server, auth, tokens } = await scene(t, { clock, store });
  const before = instances.length;
  ruin();
  clock.advance(LIFETIME);
  await rejects(auth.getAccessToken(), "InternalError");
  const next = coordinator(t, server, { clock, store });
  assert.equal(instances.length, before + 1);
  const token = await next.getAccessToken();
  assert.notEqual(token, tokens.access_token);
  assert.equal(await server.isActive(token), true);
  assert.equal(server.oracle.counts().rotations, 1);
});

test("the lock of a core that trapped is let go, and the next one takes over", async (t) => {
  const clock = new Clock();
  clock.skips = 2_000;
  const store = memoryStore();
  const { server, auth, expire } = await scene(t, { clock, store, personality: grace });
  expire();
  const hold = server.holdReply();
  const waiting = auth.getAccessToken();
  await hold.arrived;
  ruin();
  hold.release();
  await rejects(waiting, "InternalError");
  const next = coordinator(t, server, { clock, store });
  assert.equal(await server.isActive(await next.getAccessToken()), true);
  assert.equal(next.stats().takeOvers, 1);
});
