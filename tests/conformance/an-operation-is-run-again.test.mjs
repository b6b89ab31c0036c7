// `run`: refresh if stale, run, and after a token error refresh once and run once more. Here operations of several steps, and what
// becomes of them when the refresh fails; the rest is in tests/node/run-tries-once-more-after-a-token-error.test.mjs.

import assert from "node:assert/strict";
import test from "node:test";

import { oauthError, unavailable } from "../authorization-server/faults.mjs";
import { rejects } from "../node/errors.mjs";
import { scene } from "../node/scene.mjs";
import { TestStore } from "../node/store.mjs";
import { Clock } from "../node/clock.mjs";

const expired = () => Object.assign(new Error("token expired"), { status: 401 });
const invalid = () => Object.assign(new Error("token invalid"), { code: "invalid_token" });

/** A step of an operation: fails for its token so many times, and lists the tokens it was given. */
function step(name, { failures = 0, fail = expired } = {}) {
  const given = [];
  const run = async (token) => {
    if (given.push(token) <= failures) throw fail();
    return name;
  };
  return { given, run };
}

test("MM-64 MM-70 MM-71 MM-76: a token error: a refresh with the current token, and once more", async (t) => {
  for (const fail of [expired, invalid]) {
    const { auth, server, before, counts } = await scene(t);
    const operation = step("done", { failures: 1, fail });
    assert.equal(await auth.run(operation.run), "done");
    assert.deepEqual(operation.given, [before.accessToken, await auth.getAccessToken()]);
    assert.equal(await server.isActive(operation.given[1]), true);
    assert.deepEqual([server.oracle.presentations, counts().reuses], [1, 0]);
  }
});

test("MM-65 MM-68: a token error, and the refresh fails: the caller hears why, and the operation is not run again", async (t) => {
  const outcomes = [
    [oauthError("invalid_grant"), "RevokedError"],
    [unavailable(), "TransientError"],
    [oauthError("invalid_client", 401), "ConfigurationError"],
  ];
  for (const [fault, name] of outcomes) {
    const { auth, server } = await scene(t, { retries: 0 });
    server.next(1, fault);
    const operation = step("done", { failures: 1 });
    await rejects(auth.run(operation.run), name);
    assert.equal(operation.given.length, 1);
    assert.equal(server.oracle.presentations, 1, "a refresh was tried");
  }
});

test("MM-67: the new tokens are stored before the operation runs again", async (t) => {
  const clock = new Clock();
  const store = new TestStore(clock);
  const { auth } = await scene(t, { clock, store });
  const stored = [];
  await auth.run(async (token) => {
    stored.push(Object.values(store.contents).some((value) => value.includes(token)));
    if (stored.length === 1) throw expired();
  });
  assert.deepEqual(stored, [true, true]);
});

test("MM-72: a token error in an inner step: that step twice, one refresh, and the data comes back", async (t) => {
  const { auth, server } = await scene(t);
  const [outer, inner] = [[], step("key", { failures: 1 })];
  const data = await auth.run(async (token) => {
    outer.push(token);
    return ["data", await auth.run(inner.run)];
  });
  assert.deepEqual(data, ["data", "key"]);
  assert.deepEqual([outer.length, inner.given.length, server.oracle.presentations], [1, 2, 1]);
});

test("MM-73 MM-74 MM-75: of several steps only the one that was refused is repeated, wherever it stands", async (t) => {
  for (const [refused, fail] of [[0, expired], [1, expired], [1, invalid]]) {
    const { auth, server } = await scene(t);
    const steps = ["added", "persisted"].map((name, place) => step(name, { failures: place === refused ? 1 : 0, fail }));
    let localKeys = 0;
    const backup = async () => {
      localKeys += 1;
      const done = [];
      for (const { run } of steps) done.push(await auth.run(run));
      return done;
    };
    assert.deepEqual(await backup(), ["added", "persisted"]);
    assert.deepEqual(steps.map(({ given }) => given.length), refused === 0 ? [2, 1] : [1, 2]);
    assert.deepEqual([localKeys, server.oracle.presentations], [1, 1]);
  }
});
