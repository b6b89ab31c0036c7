// Expectations about rejections: each must be one of the package's own errors, with the fields that its documentation promises.

import assert from "node:assert/strict";

import * as library from "refresh-coordinator";

const faults = ["server", "network", "store", "host", "caller"];
const spent = ["no", "maybe", "yes"];
const retryable = { TransientError: true, StoreError: true };
const signInRequired = { RevokedError: true, InteractionRequiredError: true, NoSessionError: true };

/** The error that a promise rejects with. */
export async function rejection(promise) {
  const settled = await Promise.allSettled([promise]);
  assert.equal(settled[0].status, "rejected", "it should have rejected");
  return settled[0].reason;
}

/** Checks class and fields of an error. `from` is the copy of the package whose classes it must belong to. */
export function assertError(error, name, fields = {}, from = library) {
  assert.ok(error instanceof Error, `not an Error: ${String(error)}`);
  assert.ok(error instanceof from[name], `${error.name} (${error.code}): ${error.message}, expected ${name}`);
  assert.equal(error.name, name);
  assert.match(error.code, /^[a-z0-9]+(-[a-z0-9]+)*$/);
  assert.ok(error.message.length > 0);
  assert.ok(faults.includes(error.fault), `fault: ${error.fault}`);
  assert.ok(spent.includes(error.spent), `spent: ${error.spent}`);
  if (name !== "StoreError") assert.equal(error.retryable, retryable[name] ?? false, "retryable");
  assert.equal(typeof error.retryable, "boolean");
  assert.equal(error.signInRequired, signInRequired[name] ?? false, "signInRequired");
  for (const [field, value] of Object.entries(fields)) assert.equal(error[field], value, `${field} of ${name}`);
}

/** The promise must reject with this error, which is returned. */
export async function rejects(promise, name, fields, from) {
  const error = await rejection(promise);
  assertError(error, name, fields, from);
  return error;
}
