// Which failures are tried again within one refresh, how often, and that the user is kept whatever comes of it. Immutable tests the
// repeating on its code exchange; here it is the refresh request.

import assert from "node:assert/strict";
import test from "node:test";

import * as faults from "../authorization-server/faults.mjs";
import { Clock } from "../node/clock.mjs";
import { rejects } from "../node/errors.mjs";
import { scene } from "../node/scene.mjs";

/** An expired session, whose next requests fail like this; back-offs pass by themselves. */
async function failing(t, count, fault, options = {}) {
  const clock = new Clock();
  clock.skips = 2_000;
  const all = await scene(t, { clock, ...options });
  all.expire();
  if (fault) all.server.next(count, fault);
  const events = [];
  all.auth.subscribe((event) => event && events.push(event.type));
  return { ...all, events };
}

/** The user is kept: the same session refreshes as soon as it may. */
async function assertKept({ auth, server, clock, events }, error) {
  assert.equal(error.signInRequired, false);
  assert.equal(auth.getSnapshot().status, "active");
  assert.ok(!events.includes("revoked") && !events.includes("signed-out"), String(events));
  server.heal();
  clock.advance(Math.max(0, (error.retryAt ?? 0) - clock.now()));
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
}

test("IM-A5 IM-A6 IM-A7 IM-A9 IM-X7: network, server_error, an unknown error, too many requests: three requests, and the user is kept", async (t) => {
  const failures = [
    faults.dropBefore(),
    faults.oauthError("server_error", 500),
    faults.oauthError("server_error"),
    faults.oauthError("never_heard_of"),
    faults.answer(418, "teapot"),
    faults.answer(429, { error: "too_many_requests" }),
  ];
  for (const fault of failures) {
    const all = await failing(t, Infinity, fault);
    const error = await rejects(all.auth.getAccessToken(), "TransientError");
    assert.equal(all.server.oracle.presentations, 3);
    await assertKept(all, error);
  }
});

test("IM-A8: a timeout: the user is kept, and no event says otherwise", async (t) => {
  const all = await failing(t, 0, undefined, { timeout: 4_321, retries: 0 });
  const { server, clock, auth } = all;
  const held = server.holdRequest();
  const caller = auth.getAccessToken();
  await held.arrived;
  await clock.asleep(4_321);
  clock.advance(4_321);
  await assertKept(all, await rejects(caller, "TransientError", { code: "timeout" }));
});

test("IM-A10 IM-X1 IM-X2 IM-X4: one failure, then health: two requests, nobody hears of it but the events", async (t) => {
  for (const fault of [faults.dropBefore(), faults.unavailable(), faults.answer(502, "<html>")]) {
    const { server, auth, events, counts } = await failing(t, 1, fault);
    assert.equal(await server.isActive(await auth.getAccessToken()), true);
    assert.deepEqual([server.oracle.presentations, counts().rotations], [2, 1]);
    await new Promise(setImmediate);
    assert.deepEqual(events.filter((type) => type === "transient" || type === "refreshed"), ["transient", "refreshed"]);
  }
});

test("IM-X3 IM-X5: an attempt that hangs, before or within its reply, is given up after its time, and repeated", async (t) => {
  for (const place of ["nothing comes", "half a body comes"]) {
    const signals = [];
    const stalling = (_url, { signal }) => {
      signals.push(signal);
      if (place === "nothing comes") return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      const start = (controller) => controller.enqueue(new TextEncoder().encode('{"access_token":"A1",'));
      return new Response(new ReadableStream({ start }), { headers: { "content-type": "application/json" } });
    };
    const options = { timeout: 4_321, fetch: (url, init) => (signals.length === 0 ? stalling(url, init) : fetch(url, init)) };
    const { server, clock, auth } = await failing(t, 0, undefined, options);
    const caller = auth.getAccessToken();
    await clock.asleep(4_321);
    clock.advance(4_321);
    assert.equal(await server.isActive(await caller), true, place);
    assert.equal(signals[0].aborted, true);
    assert.equal(server.oracle.presentations, 1, "the first one never left");
  }
});

test("IM-X6: 4xx: not repeated", async (t) => {
  for (const [fault, name] of [
    [faults.oauthError("invalid_request"), "ConfigurationError"],
    [faults.oauthError("unauthorized_client", 401), "ConfigurationError"],
    [faults.answer(404, "no"), "ConfigurationError"],
  ]) {
    const { server, auth } = await failing(t, Infinity, fault);
    await rejects(auth.getAccessToken(), name);
    assert.equal(server.oracle.presentations, 1);
  }
});
