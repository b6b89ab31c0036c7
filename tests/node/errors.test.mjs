// The error classes by themselves: what an application, or another copy of the package, can tell from one.

import assert from "node:assert/strict";
import test from "node:test";

import * as library from "refresh-coordinator";

const classes = {
  RevokedError: [false, true],
  InteractionRequiredError: [false, true],
  TransientError: [true, false],
  ConfigurationError: [false, false],
  NoSessionError: [false, true],
  StoreError: [true, false],
  InternalError: [false, false],
};

for (const [name, [retryable, signInRequired]] of Object.entries(classes)) {
  test(`${name} can be thrown by an application, and says what to do`, () => {
    const cause = new Error("behind it");
    const error = new library[name]("one sentence", { code: "a-code", retryAt: 5, cause });
    assert.ok(error instanceof Error && error instanceof library.RefreshError && error instanceof library[name]);
    assert.equal(error.name, name);
    assert.equal(error.message, "one sentence");
    assert.equal(error.cause, cause);
    const { code, retryAt } = error;
    assert.deepEqual({ code, retryAt, retryable: error.retryable, signInRequired: error.signInRequired }, { code: "a-code", retryAt: 5, retryable, signInRequired });
    for (const other of Object.keys(classes)) assert.equal(error instanceof library[other], other === name);
    assert.match(new library[name]("x").code, /^[a-z-]+$/, "the class has a code of its own");
    assert.equal(library[name].code, new library[name]("x").code);
  });
}

test("a class derived by an application recognises its own instances only", () => {
  class Mine extends library.RevokedError {}
  const mine = new Mine("m");
  assert.ok(mine instanceof Mine && mine instanceof library.RevokedError);
  assert.equal(new library.RevokedError("r") instanceof Mine, false);
});

test("JSON has what may be told, and neither cause nor stack", () => {
  const error = new library.TransientError("not now", { code: "throttled", status: 429, retryAt: 7, cause: new Error("secret") });
  const told = JSON.parse(JSON.stringify(error));
  assert.deepEqual([told.name, told.message, told.code, told.status, told.retryAt], ["TransientError", "not now", "throttled", 429, 7]);
  assert.equal("cause" in told || "stack" in told, false);
});

test("what is not ours is none of ours, and instanceof never throws", () => {
  const hostile = new Proxy({}, { get: () => { throw new Error("a getter threw"); } });
  for (const value of [undefined, null, 1, "x", {}, new Error("e"), hostile]) assert.equal(value instanceof library.RefreshError, false);
});
