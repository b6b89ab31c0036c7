// `run`: refresh if stale, run the operation, and once more after a token error.

import assert from "node:assert/strict";
import test from "node:test";

import { oauthError } from "../authorization-server/faults.mjs";
import { rejection, rejects } from "./errors.mjs";
import { scene, times } from "./scene.mjs";

/** What the operation is given, whatever else it is. */
const tokenOf = (given) => (typeof given === "string" ? given : given.accessToken);

/** An operation on an API that refuses certain tokens the way HTTP clients report it. */
const operation = (refused, calls = []) => async (given) => {
  const token = tokenOf(given);
  calls.push(token);
  if (refused.has(token)) throw Object.assign(new Error("Unauthorized"), { status: 401 });
  return `served ${calls.length}`;
};

test("a fresh token: once", async (t) => {
  const { auth, server, before } = await scene(t);
  const calls = [];
  assert.equal(await auth.run(operation(new Set(), calls)), "served 1");
  assert.deepEqual(calls, [before.accessToken]);
  assert.equal(server.oracle.presentations, 0);
});

test("MM-63: a stale token is refreshed first", async (t) => {
  const { auth, server, expire, before } = await scene(t);
  expire();
  const calls = [];
  await auth.run(operation(new Set([before.accessToken]), calls));
  assert.equal(calls.length, 1);
  assert.equal(server.oracle.presentations, 1);
});

test("a refused token: a refresh, and once more", async (t) => {
  const { auth, server, before } = await scene(t);
  const calls = [];
  assert.equal(await auth.run(operation(new Set([before.accessToken]), calls)), "served 2");
  assert.equal(calls.length, 2);
  assert.equal(server.oracle.presentations, 1);
});

test("a hundred operations are refused at once: one refresh", async (t) => {
  const { auth, server, before } = await scene(t);
  const refused = new Set([before.accessToken]);
  const served = await Promise.all(times(100, () => auth.run(operation(refused))));
  assert.equal(served.length, 100);
  assert.equal(server.oracle.presentations, 1);
});

test("refused twice: the operation's own error", async (t) => {
  const { auth, server } = await scene(t);
  const calls = [];
  const error = await rejection(auth.run(operation({ has: () => true }, calls)));
  assert.equal(error.status, 401);
  assert.equal(calls.length, 2);
  assert.equal(server.oracle.presentations, 1);
});

test("an operation may answer with a 401 Response instead of throwing", async (t) => {
  const { auth, server, before } = await scene(t);
  const response = await auth.run((given) => new Response(null, { status: tokenOf(given) === before.accessToken ? 401 : 200 }));
  assert.equal(response.status, 200);
  assert.equal(server.oracle.presentations, 1);
});

test("MM-62 MM-66 MM-69: any other error is handed on untouched, and not tried again", async (t) => {
  const { auth, server } = await scene(t);
  for (const thrown of [new Error("out of stock"), "a string", undefined, null, { status: 500 }, { status: 403 }]) {
    let calls = 0;
    const reason = await rejection(
      auth.run(() => {
        calls += 1;
        throw thrown;
      }),
    );
    assert.equal(reason, thrown);
    assert.equal(calls, 1);
  }
  assert.equal(server.oracle.presentations, 0);
});

test("a plain value is as good as a promise, and a function is required", async (t) => {
  const { auth } = await scene(t);
  assert.equal(await auth.run(() => 5), 5);
  for (const wrong of [undefined, null, 5, "run"]) {
    const error = await rejection(new Promise((resolve) => resolve(auth.run(wrong))));
    assert.ok(["TypeError", "ConfigurationError"].includes(error.name), String(error));
  }
});

test("a refusal of the refresh is what the caller hears, and the operation is not run", async (t) => {
  const { auth, server, expire } = await scene(t, { retries: 0 });
  expire();
  server.next(1, oauthError("invalid_grant"));
  let calls = 0;
  await rejects(auth.run(() => (calls += 1)), "RevokedError");
  assert.equal(calls, 0);
});

test("an abort ends the wait for tokens", async (t) => {
  const { auth, server, expire } = await scene(t);
  const held = server.holdRequest();
  expire();
  const controller = new AbortController();
  let calls = 0;
  const run = auth.run(() => (calls += 1), { signal: controller.signal });
  await held.arrived;
  controller.abort(new Error("gone"));
  assert.equal((await rejection(run)).message, "gone");
  held.release();
  await auth.getAccessToken();
  assert.equal(calls, 0);
});
