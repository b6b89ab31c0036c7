// A caller who gives up leaves alone: the flight goes on for the others, and its result is kept.

import assert from "node:assert/strict";
import test from "node:test";

import { rejection } from "./errors.mjs";
import { scene, times } from "./scene.mjs";

const members = {
  getAccessToken: (auth, options) => auth.getAccessToken(options),
  getTokens: (auth, options) => auth.getTokens(options),
  refresh: (auth, options) => auth.refresh(options),
  "refresh({ mintedAfterNow })": (auth, options) => auth.refresh({ mintedAfterNow: true, ...options }),
  renew: (auth, options, { tokens }) => auth.renew({ refreshToken: tokens.refresh_token }, options),
};

for (const [name, call] of Object.entries(members)) {
  test(`N-12: ${name}: one of three gives up, with a reason of its own`, async (t) => {
    const all = await scene(t);
    const { server, auth, expire, counts } = all;
    const held = server.holdReply();
    expire();
    const [first, second] = [new AbortController(), new AbortController()];
    const aborted = call(auth, { signal: first.signal }, all);
    const patient = call(auth, { signal: second.signal }, all);
    const plain = call(auth, undefined, all);
    assert.notEqual(aborted, plain);
    await held.arrived;
    const reason = { why: "navigated away" };
    first.abort(reason);
    assert.equal(await rejection(aborted), reason);
    held.release();
    assert.deepEqual(await patient, await plain);
    assert.equal(counts().rotations, 1);
    assert.equal(server.oracle.presentations, 1);
    second.abort();
  });
}

test("N-12: all give up: the refresh is completed and kept all the same", async (t) => {
  const { server, auth, expire, counts, before } = await scene(t);
  const held = server.holdReply();
  expire();
  const controller = new AbortController();
  const callers = times(50, () => auth.getAccessToken({ signal: controller.signal }));
  await held.arrived;
  controller.abort();
  for (const caller of callers) assert.equal((await rejection(caller)).name, "AbortError");
  held.release();
  const token = await auth.getAccessToken();
  assert.notEqual(token, before.accessToken);
  assert.equal(counts().rotations, 1);
  assert.equal(server.oracle.presentations, 1);
});

test("a signal that is aborted already: no request is made for it", async (t) => {
  const { server, auth, expire } = await scene(t);
  expire();
  const reason = new Error("too late");
  assert.equal(await rejection(auth.getAccessToken({ signal: AbortSignal.abort(reason) })), reason);
  assert.equal(server.oracle.presentations, 0);
});

test("a timeout of the caller is the caller's", async (t) => {
  const { server, auth, expire } = await scene(t);
  const held = server.holdRequest();
  expire();
  const caller = auth.getAccessToken({ signal: AbortSignal.timeout(1) });
  assert.equal((await rejection(caller)).name, "TimeoutError");
  held.release();
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
  assert.equal(server.oracle.presentations, 1);
});

test("a signal that outlives many calls gathers no listeners", async (t) => {
  const { auth, expire } = await scene(t);
  const controller = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = controller.signal;
  controller.signal.addEventListener = (...args) => ((listeners += 1), addEventListener.apply(controller.signal, args));
  controller.signal.removeEventListener = (...args) => ((listeners -= 1), removeEventListener.apply(controller.signal, args));
  for (let round = 0; round < 3; round += 1) {
    expire();
    await Promise.all(times(20, () => auth.getAccessToken({ signal: controller.signal })));
    await auth.getAccessToken({ signal: controller.signal });
  }
  assert.equal(listeners, 0);
});

test("something that is no signal is refused with a type, and hangs nobody", async (t) => {
  const { auth, expire } = await scene(t);
  for (const signal of [5, "signal", {}, []]) {
    expire();
    const error = await rejection(new Promise((resolve) => resolve(auth.getAccessToken({ signal }))));
    assert.ok(["ConfigurationError", "TypeError"].includes(error.name), error.name);
  }
  assert.equal(typeof (await auth.getAccessToken({ signal: undefined })), "string");
});
