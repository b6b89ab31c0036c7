// A wrong option is a ConfigurationError at construction whose message names the option.

import assert from "node:assert/strict";
import test from "node:test";

import { RefreshCoordinator, memoryStore } from "refresh-coordinator";

import { assertError } from "./errors.mjs";

const good = { clientId: "web", tokenEndpoint: "https://issuer.invalid/token" };
const custom = { refresh: () => ({ access_token: "A" }) };

function refused(options, name) {
  let error;
  try {
    new RefreshCoordinator(options).close();
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error, `accepted: ${name}`);
  assertError(error, "ConfigurationError", { fault: "caller", spent: "no" });
  assert.ok(error.message.includes(name), `${error.message} does not name ${name}`);
  return error;
}

const accepted = (options) => new RefreshCoordinator(options).close();

const wrong = {
  clientId: [undefined, "", 5, null, {}],
  tokenEndpoint: ["", 5, null, "/token", "not a url", "http://issuer.invalid/token", "ftp://issuer.invalid/", "javascript:alert(1)",
    "https://user:password@issuer.invalid/token", "https://issuer.invalid/token#fragment", {}],
  revocationEndpoint: ["/revoke", "not a url", 5, "http://issuer.invalid/revoke", null],
  clientSecret: [5, "", null],
  clientAuthentication: ["digest", 5, "basic", "post", null, {}],
  params: [5, "scope=a", null, { scope: 5 }, { grant_type: "password" }, { refresh_token: "R" }, { client_id: "x" }, { client_secret: "x" },
    { client_assertion: "x" }, { constructor: "x" }, { resource: ["a", 5] }],
  session: ["", 5, null],
  name: ["", 5, "beside a token endpoint"],
  store: [5, "redis", null, {}, { read: () => {} }, { write: () => {} }, { read: 1, write: 2 }, { read() {}, write() {}, scope: "galaxy" },
    { read() {}, write() {}, lag: -1 }, { read() {}, write() {}, lag: "1" }, { read() {}, write() {}, watch: 1 }, { read() {}, write() {}, locks: {} }],
  locks: [5, null, {}, { request: 1 }, { request() {}, scope: "world" }],
  channel: [5, null, {}, { postMessage() {} }],
  fetch: [5, "fetch", null, {}],
  origins: ["https://api.invalid", 5, null, [5], ["not a url"], ["https://api.invalid/path"], ["http://api.invalid"]],
  mandatoryWindow: [-1, "10", NaN, Infinity, null],
  advisoryWindow: [-1, "10", NaN, Infinity, null],
  timeout: [0, -1, "10", NaN, Infinity, null],
  lockWait: [0, -1, "10", NaN, null],
  storeTimeout: [0, -1, "10", NaN, null],
  callTimeout: [0, -1, "10", NaN, null],
  retries: [-1, 1.5, "2", NaN, Infinity, null],
  grace: [-1, "30", NaN, Infinity, null],
  unknownLifetime: [0, -1, "10", NaN, null],
  revokeReplaced: [1, "true", null],
  classify: [5, {}, null],
  onStoreFailure: ["ajar", true, null],
  sealKey: [5, "", "short", null],
  waitUntil: [5, {}, null],
  clock: [5, {}, null, { now: Date.now }, { now: 1, monotonic: 2, sleep: 3 }],
  allowInsecure: ["yes", 1, null],
};

for (const [name, values] of Object.entries(wrong)) {
  test(`CL-20: ${name} is wrong`, () => {
    for (const value of values) refused({ ...good, [name]: value }, name);
  });
}

test("the options themselves are wrong", () => {
  for (const options of [undefined, null, 5, "web", [], () => {}]) {
    let error;
    try {
      new RefreshCoordinator(options).close();
    } catch (thrown) {
      error = thrown;
    }
    assertError(error, "ConfigurationError", { fault: "caller" });
  }
});

test("neither endpoint nor refresh, or both", () => {
  refused({ clientId: "web" }, "tokenEndpoint");
  refused({ ...good, ...custom }, "refresh");
  refused({ refresh: "refresh" }, "refresh");
  refused({ refresh: undefined, clientId: "web" }, "tokenEndpoint");
});

test("a mistyped option is named, with the one that was meant", () => {
  assert.match(refused({ ...good, clientID: "web" }, "clientID").message, /clientId/);
  assert.match(refused({ ...good, tokenEndPoint: "x" }, "tokenEndPoint").message, /tokenEndpoint/);
});

test("a timeout that is too long for the grace period", () => {
  refused({ ...good, grace: 10, timeout: 3_001 }, "timeout");
  accepted({ ...good, grace: 10, timeout: 3_000 });
});

test("own properties only: nothing is read from a prototype", () => {
  refused(Object.create(good), "tokenEndpoint");
  refused(JSON.parse('{"__proto__":{"tokenEndpoint":"https://issuer.invalid/token"},"clientId":"web"}'), "__proto__");
  Object.prototype.clientSecret = 5;
  try {
    accepted({ ...good });
  } finally {
    delete Object.prototype.clientSecret;
  }
});

test("a getter or a proxy that throws", () => {
  refused(Object.defineProperty({ ...good }, "timeout", { enumerable: true, get: () => raise() }), "could not be read");
  const hostile = new Proxy({}, { get: () => raise(), ownKeys: () => raise(), getOwnPropertyDescriptor: () => raise() });
  assert.throws(() => new RefreshCoordinator(hostile), (error) => (assertError(error, "ConfigurationError"), true));
});

test("a secret never stands in the message", () => {
  const secret = "a-very-secret-secret";
  for (const options of [
    { ...good, clientSecret: [secret] },
    { ...good, clientSecret: secret, clientAuthentication: secret },
    { ...good, sealKey: { secret } },
    { ...good, tokenEndpoint: `https://user:${secret}@issuer.invalid/` },
    { ...good, params: { refresh_token: secret } },
  ]) {
    const error = (() => {
      try {
        return new RefreshCoordinator(options);
      } catch (thrown) {
        return thrown;
      }
    })();
    assert.ok(error instanceof Error);
    assert.ok(!error.message.includes(secret) && !String(error.stack).includes(secret), error.message);
  }
});

test("all of this is right", () => {
  accepted(good);
  accepted(custom);
  accepted({ ...custom, name: "mine", clientId: "web" });
  accepted({ ...good, tokenEndpoint: new URL(good.tokenEndpoint) });
  for (const url of ["http://127.0.0.1:8080/token", "http://localhost/token", "http://[::1]/token"]) {
    accepted({ ...good, tokenEndpoint: url });
  }
  accepted({ ...good, tokenEndpoint: "http://issuer.invalid/token", allowInsecure: true });
  accepted({ ...good, clientSecret: "secret", clientAuthentication: "post" });
  accepted({ ...good, clientAuthentication: () => ({ headers: {} }) });
  accepted({ ...good, params: { scope: "a b", resource: ["https://a.invalid", "https://b.invalid"] } });
  accepted({ ...good, store: memoryStore(), session: "work", retries: 0, grace: 30, advisoryWindow: 0, mandatoryWindow: 0 });
  accepted({ ...good, origins: ["https://api.invalid", "http://127.0.0.1:3000"] });
  accepted({ ...good, sealKey: "0123456789abcdef", onStoreFailure: "open", revokeReplaced: true, waitUntil: () => {} });
  for (const name of Object.keys(wrong)) if (name !== "clientId" && name !== "tokenEndpoint") accepted({ ...good, [name]: undefined });
});

test("a store of scope `cluster` needs a seal key, in session mode", async (t) => {
  const store = Object.assign(memoryStore(), { scope: "cluster" });
  const auth = new RefreshCoordinator({ ...good, store });
  t.after(() => auth.close());
  for (const call of [() => auth.getTokens(), () => auth.setTokens({ accessToken: "A", expiresIn: 5 }), () => auth.signOut()]) {
    const [{ reason }] = await Promise.allSettled([call()]);
    assertError(reason, "ConfigurationError");
    assert.match(reason.message, /sealKey/);
  }
});

function raise() {
  throw new Error("a getter threw");
}
