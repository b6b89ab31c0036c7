// The error classes as an application makes, prints and serialises them: nothing it needs is lost, and nothing secret gets out.

import assert from "node:assert/strict";
import test from "node:test";
import { inspect } from "node:util";

import * as library from "refresh-coordinator";

import { rejection } from "../node/errors.mjs";
import { Clock } from "../node/clock.mjs";

const { RevokedError, TransientError } = library;
const classes = Object.values(library).filter((value) => Object.getPrototypeOf(value) === library.RefreshError);

test("MM-88 MM-89 MM-101: a message is enough: an Error with a stack, a name, and the code of its class", () => {
  assert.equal(classes.length, 7);
  for (const Class of classes) {
    const error = new Class("one sentence");
    assert.ok(error instanceof Error && error.stack.includes("one sentence"));
    assert.deepEqual([error.message, error.code, error.cause], ["one sentence", Class.code, undefined]);
    assert.ok(!("cause" in error), "no member for what was not given");
  }
});

test("MM-90 MM-95: details and cause together are all kept", () => {
  const cause = new Error("behind it");
  const details = { code: "a-code", status: 503, oauthError: "server_error", retryAt: 7, fault: "server", spent: "maybe", cause };
  const error = new TransientError("not now", details);
  for (const [name, value] of Object.entries(details)) assert.equal(error[name], value, name);
});

test("MM-91 MM-92 MM-93 MM-94: any cause will do: an Error, a string, an object, one that refers to itself", () => {
  const circular = { name: "circle" };
  circular.self = circular;
  for (const cause of [new Error("behind it"), "a string", { reason: "an object" }, circular, null, 0]) {
    const error = new TransientError("not now", { cause });
    assert.equal(error.cause, cause);
    for (const printed of [String(error), inspect(error), JSON.stringify(error)]) assert.match(printed, /not now/);
  }
});

test("MM-91 MM-92 MM-93 MM-94: what an exchange throws becomes the cause, whatever it is", async (t) => {
  const circular = { message: "circle" };
  circular.self = circular;
  for (const [thrown, said] of [[new Error("behind it"), /behind it/], ["a string", /a string/], [{ message: "an object" }, /an object/], [circular, /circle/]]) {
    const clock = new Clock();
    const auth = new library.RefreshCoordinator({ name: "app", clock, retries: 0, refresh: () => Promise.reject(thrown) });
    t.after(() => auth.close());
    await auth.setTokens({ access_token: "A0", refresh_token: "R0", expires_in: 60 });
    clock.advance(60_000);
    const error = await rejection(auth.getAccessToken());
    assert.match(inspect(error.cause), said);
    assert.doesNotThrow(() => JSON.stringify(error));
  }
});

test("MM-96 MM-97: as JSON: every member that is set, and none that is not", () => {
  const full = { code: "expired", status: 400, oauthError: "invalid_grant", reason: "expired", fault: "server", spent: "yes" };
  const told = JSON.parse(JSON.stringify(new RevokedError("over", full)));
  assert.deepEqual(told, { name: "RevokedError", message: "over", retryable: false, signInRequired: true, ...full });
  const bare = JSON.parse(JSON.stringify(new TransientError("not now")));
  assert.deepEqual(Object.keys(bare).sort(), ["code", "fault", "message", "name", "retryable", "signInRequired", "spent"]);
});

test("MM-98 MM-99 MM-100: as JSON no cause and no stack, for they may hold a token; the chain stays reachable", () => {
  const own = new RevokedError("inner", { cause: new Error("the secret behind it", { cause: { deeper: ["secret"] } }) });
  const error = new TransientError("outer", { cause: own });
  const text = JSON.stringify(error);
  for (const hidden of ["secret", "inner", "stack", "cause"]) assert.ok(!text.includes(hidden), hidden);
  assert.equal(error.cause, own);
  assert.equal(error.cause.cause.cause.deeper[0], "secret");
  assert.equal(JSON.parse(JSON.stringify(error.cause)).name, "RevokedError");
});
