// A custom `refresh` that keeps its promise in any form simply works; one that does not ends in a typed rejection.

import assert from "node:assert/strict";
import test from "node:test";

import { RefreshCoordinator, TransientError } from "refresh-coordinator";

import { failing, honest, silent } from "./callbacks-of-any-shape.mjs";
import { Clock } from "./clock.mjs";
import { rejects } from "./errors.mjs";
import { times } from "./scene.mjs";

/** A coordinator whose access token has just expired. */
async function expired(t, refresh, options = {}) {
  const clock = new Clock();
  const auth = new RefreshCoordinator({ clock, refresh, retries: 0, ...options });
  t.after(() => auth.close());
  await auth.setTokens({ accessToken: "A0", refreshToken: "R0", expiresAt: clock.now() + 60_000 });
  clock.advance(60_000);
  return { auth, clock };
}

const wire = { access_token: "A1", refresh_token: "R1", expires_in: 60 };

/** After a failure the next call, once it is time for it, must work. */
async function assertNextCallWorks({ auth, clock, error, heal }) {
  heal();
  clock.advance(Math.max(0, (error.retryAt ?? 0) - clock.now(), 5_000));
  assert.equal(await auth.getAccessToken(), "A1");
}

for (const [name, wrap] of Object.entries(honest)) {
  test(`returns ${name}`, async (t) => {
    const { auth } = await expired(t, () => wrap(wire));
    assert.deepEqual(new Set(await Promise.all(times(10, () => auth.getAccessToken()))), new Set(["A1"]));
  });
}

const shapes = {
  "a wire reply": wire,
  "a token set": { accessToken: "A1", refreshToken: "R1", expiresAt: Date.UTC(2031, 0, 1) },
  "a token set without a refresh token": { accessToken: "A1", expiresIn: 60 },
  "a wire reply with numbers as text": { ...wire, expires_in: "60" },
  "an object without a prototype": Object.assign(Object.create(null), wire),
};
for (const [name, value] of Object.entries(shapes)) {
  test(`the tokens are ${name}`, async (t) => {
    const { auth } = await expired(t, () => value);
    assert.equal(await auth.getAccessToken(), "A1");
  });
}

test("it may return a Response, judged as that of a token endpoint", async (t) => {
  const replies = [Response.json({ error: "invalid_client" }, { status: 401 }), Response.json(wire)];
  const { auth, clock } = await expired(t, () => replies.shift());
  await rejects(auth.getAccessToken(), "ConfigurationError", { oauthError: "invalid_client", status: 401 });
  clock.advance(5_000);
  assert.equal(await auth.getAccessToken(), "A1");
});

for (const [name, fail] of Object.entries(failing)) {
  test(`MM-11 N-13: it ${name}`, async (t) => {
    let refresh = fail;
    const all = await expired(t, () => refresh());
    const error = await rejects(all.auth.getAccessToken(), "TransientError", { spent: "maybe" });
    await assertNextCallWorks({ ...all, error, heal: () => (refresh = () => wire) });
  });
}

for (const [name, hang] of Object.entries(silent)) {
  test(name, async (t) => {
    let refresh = hang;
    const all = await expired(t, () => refresh(), { timeout: 4_321 });
    const caller = all.auth.getAccessToken();
    await all.clock.asleep(4_321);
    all.clock.advance(4_321);
    const error = await rejects(caller, "TransientError", { code: "timeout", spent: "maybe" });
    await assertNextCallWorks({ ...all, error, heal: () => (refresh = () => wire) });
  });
}

const useless = {
  undefined,
  null: null,
  "a number": 42,
  "a string": "A1",
  "an empty object": {},
  "an array": [],
  "a function": () => {},
  "an access token that is no string": { access_token: 5 },
  "an object whose members cannot be read": new Proxy({}, { ownKeys: () => raise(), get: () => raise() }),
  "an object that refers to itself": Object.assign({}, { self: null }),
};
useless["an object that refers to itself"].self = useless["an object that refers to itself"];
for (const [name, value] of Object.entries(useless)) {
  test(`it returns ${name}, which is no token set`, async (t) => {
    let answer = value;
    const all = await expired(t, () => answer);
    const error = await rejects(all.auth.getAccessToken(), "TransientError", { spent: "maybe" });
    await assertNextCallWorks({ ...all, error, heal: () => (answer = wire) });
  });
}

test("an error with a status or an OAuth code is judged by it", async (t) => {
  const cases = [
    [{ status: 503 }, "TransientError", { status: 503 }],
    [{ statusCode: 429 }, "TransientError", { status: 429 }],
    [{ status: 400, error: "invalid_grant" }, "RevokedError", { status: 400, oauthError: "invalid_grant" }],
    [{ error: "invalid_client" }, "ConfigurationError", { oauthError: "invalid_client" }],
    [{ error: "interaction_required" }, "InteractionRequiredError", { oauthError: "interaction_required" }],
  ];
  for (const [members, name, fields] of cases) {
    const { auth } = await expired(t, () => Promise.reject(Object.assign(new Error("refused"), members)));
    await rejects(auth.getAccessToken(), name, fields);
  }
});

test("MM-13pr: it gets the token of the record, the parameters, a signal, the attempt and a deadline", async (t) => {
  const seen = [];
  const { auth, clock } = await expired(t, (given) => {
    seen.push(given);
    return { ...wire, refresh_token: `R${seen.length}` };
  }, { params: { scope: "a b" }, timeout: 4_321 });
  await auth.getAccessToken();
  assert.equal(seen[0].refreshToken, "R0");
  assert.deepEqual({ ...seen[0].params }, { scope: "a b" });
  assert.ok(seen[0].signal instanceof AbortSignal);
  assert.equal(seen[0].attempt, 1);
  assert.equal(seen[0].deadline, clock.now() + 4_321);
  clock.advance(60_000);
  await auth.getAccessToken();
  assert.equal(seen[1].refreshToken, "R1", "the token just read, never one captured earlier");
});

test("its signal is aborted when its time is over", async (t) => {
  let given;
  const { auth, clock } = await expired(t, (argument) => new Promise(() => (given = argument)), { timeout: 4_321 });
  const caller = auth.getAccessToken();
  await clock.asleep(4_321);
  assert.equal(given.signal.aborted, false);
  clock.advance(4_321);
  await rejects(caller, "TransientError");
  assert.equal(given.signal.aborted, true);
});

test("it may call its own coordinator by mistake: the timeout ends that", async (t) => {
  const { auth, clock } = await expired(t, () => auth.getTokens(), { timeout: 4_321 });
  const caller = auth.getAccessToken();
  await clock.asleep(4_321);
  clock.advance(4_321);
  await rejects(caller, "TransientError", { code: "timeout" });
});

test("a session that lives in a cookie: the reply says only when it ends", async (t) => {
  const clock = new Clock();
  let calls = 0;
  const refresh = () => ({ expiresAt: clock.now() + 60_000 * (calls += 1) });
  const auth = new RefreshCoordinator({ clock, refresh });
  t.after(() => auth.close());
  await auth.setTokens({ expiresAt: clock.now() + 60_000 });
  clock.advance(60_000);
  assert.equal((await auth.getTokens()).expiresAt, clock.now() + 60_000);
  await rejects(auth.getAccessToken(), "ConfigurationError", { code: "no-access-token" });
  assert.equal(calls, 1);
});

function raise() {
  throw new Error("a getter threw");
}

test("one of our own errors stands: class, code, fault and whether the token is spent", async (t) => {
  const thrown = new TransientError("the gateway sleeps", { code: "gateway-asleep", fault: "network", spent: "no" });
  const { auth } = await expired(t, () => {
    throw thrown;
  });
  await rejects(auth.getAccessToken(), "TransientError", { code: "gateway-asleep", fault: "network", spent: "no" });
});

for (const nothing of [undefined, null, "a token"]) {
  test(`a function that returns ${nothing} is told that a token set is missing`, async (t) => {
    const { auth } = await expired(t, () => nothing);
    const error = await rejects(auth.getAccessToken(), "TransientError", { code: "refresh-returned-nothing", fault: "caller" });
    assert.match(error.message, /custom `refresh`/);
  });
}
