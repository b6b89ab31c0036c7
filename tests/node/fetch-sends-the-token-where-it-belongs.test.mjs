// `auth.fetch` against a real resource server that asks the authorization server about each token.

import assert from "node:assert/strict";
import test from "node:test";

import { oauthError } from "../authorization-server/faults.mjs";
import { startResourceServer } from "../authorization-server/resource-server.mjs";
import { rejection, rejects } from "./errors.mjs";
import { scene, times } from "./scene.mjs";

async function withApi(t, options = {}) {
  let server;
  const rejected = new Set();
  const api = await startResourceServer(async (token) => !rejected.has(token) && (await server.isActive(token)));
  t.after(() => api.close());
  const all = await scene(t, { origins: [api.origin], ...options });
  server = all.server;
  return { ...all, api, rejected };
}

test("the bearer token is added, and the rest of the request is left alone", async (t) => {
  const { auth, api, before } = await withApi(t);
  const init = { method: "POST", headers: { "x-trace": "7" }, body: "an order" };
  const response = await auth.fetch(api.url("/orders"), init);
  assert.equal(await response.text(), "orders");
  const [{ method, token, body, headers }] = api.requests;
  assert.deepEqual({ method, token, body, trace: headers["x-trace"] }, { method: "POST", token: before.accessToken, body: "an order", trace: "7" });
  assert.deepEqual(init, { method: "POST", headers: { "x-trace": "7" }, body: "an order" });
});

test("a string, a URL and a Request will do", async (t) => {
  const { auth, api, before } = await withApi(t);
  await auth.fetch(api.url("/a"));
  await auth.fetch(new URL(api.url("/b")));
  await auth.fetch(new Request(api.url("/c"), { method: "PUT", body: "c" }));
  await auth.fetch(new Request(api.url("/d"), { method: "PUT", body: "d" }), { method: "PATCH", body: "e" });
  assert.deepEqual(api.requests.map(({ method, path, body }) => [method, path, body]), [
    ["GET", "/a", ""], ["GET", "/b", ""], ["PUT", "/c", "c"], ["PATCH", "/d", "e"],
  ]);
  for (const { token } of api.requests) assert.equal(token, before.accessToken);
});

test("an expired token is refreshed first", async (t) => {
  const { auth, api, server, expire, before } = await withApi(t);
  expire();
  const responses = await Promise.all(times(50, () => auth.fetch(api.url("/orders"))));
  assert.ok(responses.every((response) => response.ok));
  assert.ok(api.requests.every(({ token }) => token !== before.accessToken));
  assert.equal(server.oracle.presentations, 1);
});

test("late 401s: fifty calls with a rejected token cause one refresh", async (t) => {
  const { auth, api, server, rejected, before } = await withApi(t);
  // All fifty are on their way with the old token before the first of them is refused; the refusals trickle in, some long
  // after the refresh is over.
  let arrived;
  const allHere = new Promise((resolve) => (arrived = resolve));
  const gates = [];
  api.before = async ({ token }, count) => {
    if (token !== before.accessToken) return;
    if (count === 50) arrived();
    await new Promise((resolve) => gates.push(resolve));
  };
  const calls = times(50, (_, index) => auth.fetch(api.url(`/orders/${index}`), { method: "POST", body: `order ${index}` }));
  await allHere;
  rejected.add(before.accessToken);
  for (const gate of gates.splice(0, 25)) gate();
  await Promise.race(calls);
  for (const gate of gates.splice(0)) {
    gate();
    await new Promise(setImmediate);
  }
  const responses = await Promise.all(calls);
  assert.ok(responses.every((response) => response.ok));
  assert.equal(server.oracle.presentations, 1);
  assert.equal(api.requests.length, 100, "each was sent again, once");
  for (const { path, body } of api.requests) assert.equal(body, `order ${path.split("/").at(-1)}`);
});

test("a token that stays rejected: one refresh, one replay, and the 401 is the answer", async (t) => {
  const { auth, api, server } = await withApi(t);
  api.answer = (response) => response.writeHead(401, { "www-authenticate": 'Bearer error="invalid_token"' }).end("never");
  const response = await auth.fetch(api.url("/orders"));
  assert.equal(response.status, 401);
  assert.equal(await response.text(), "never");
  assert.equal(api.requests.length, 2);
  assert.equal(server.oracle.presentations, 1);
});

for (const error of ["insufficient_scope", "insufficient_user_authentication"]) {
  test(`a 401 for ${error} is no reason to refresh`, async (t) => {
    const { auth, api, server, rejected, before } = await withApi(t);
    rejected.add(before.accessToken);
    api.challenge = `Bearer realm="api, v1", error="${error}", scope="orders"`;
    assert.equal((await auth.fetch(api.url("/orders"))).status, 401);
    assert.equal(api.requests.length, 1);
    assert.equal(server.oracle.presentations, 0);
  });
}

test("a 403 is no reason to refresh", async (t) => {
  const { auth, api, server } = await withApi(t);
  api.answer = (response) => response.writeHead(403).end("no");
  assert.equal((await auth.fetch(api.url("/orders"))).status, 403);
  assert.equal(server.oracle.presentations, 0);
});

test("a body that can be sent only once is not sent twice", async (t) => {
  const { auth, api, rejected, before, server } = await withApi(t);
  rejected.add(before.accessToken);
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("once"));
      controller.close();
    },
  });
  const response = await auth.fetch(api.url("/orders"), { method: "POST", body: stream, duplex: "half" });
  assert.equal(response.status, 401);
  assert.equal(api.requests.length, 1);
  // The next caller must not run into the same rejected token.
  assert.ok((await auth.fetch(api.url("/orders"))).ok);
  assert.equal(server.oracle.presentations, 1);
});

test("another origin gets nothing: not even a request", async (t) => {
  const { auth, api, server, expire } = await withApi(t);
  const elsewhere = await startResourceServer(() => true);
  t.after(() => elsewhere.close());
  expire();
  for (const url of [elsewhere.origin, `${api.origin}@evil.invalid/`, "https://api.invalid/", api.origin.replace("http:", "https:"), "not a url", "data:,x"]) {
    const error = await rejection(auth.fetch(url));
    assert.ok(error instanceof TypeError, `${url}: ${error}`);
  }
  assert.equal(elsewhere.requests.length, 0);
  assert.equal(server.oracle.presentations, 0);
});

test("without `origins` nothing is allowed outside a page", async (t) => {
  const { auth, api } = await withApi(t, { origins: undefined });
  assert.ok((await rejection(auth.fetch(api.url("/orders")))) instanceof TypeError);
  assert.equal(api.requests.length, 0);
});

test("a redirect to another origin carries no token; one within the origin does", async (t) => {
  const { auth, api, before } = await withApi(t);
  const elsewhere = await startResourceServer(() => true);
  t.after(() => elsewhere.close());
  const honest = api.answer;
  api.answer = (response, { path }) => {
    if (path === "/out") return response.writeHead(302, { location: `${elsewhere.origin}/` }).end();
    if (path === "/in") return response.writeHead(302, { location: "/orders" }).end();
    return honest(response);
  };
  await auth.fetch(api.url("/in"));
  assert.deepEqual(api.requests.map(({ path, token }) => [path, token]), [["/in", before.accessToken], ["/orders", before.accessToken]]);
  await auth.fetch(api.url("/out")).catch(() => {});
  for (const { authorization } of elsewhere.requests) assert.equal(authorization, undefined);
});

test("a caller's own Authorization wins, and its 401 is its own business", async (t) => {
  const { auth, api, server } = await withApi(t);
  for (const headers of [{ authorization: "Basic abc" }, new Headers({ Authorization: "Basic abc" }), [["AUTHORIZATION", "Basic abc"]]]) {
    assert.equal((await auth.fetch(api.url("/orders"), { headers })).status, 401);
    assert.equal(api.requests.at(-1).authorization, "Basic abc");
  }
  assert.equal(api.requests.length, 3);
  assert.equal(server.oracle.presentations, 0);
});

test("an abort stops the request of that caller only", async (t) => {
  const { auth, api, server, expire } = await withApi(t);
  const held = server.holdReply();
  expire();
  const controller = new AbortController();
  const aborted = auth.fetch(api.url("/orders"), { signal: controller.signal });
  const patient = auth.fetch(api.url("/orders"));
  await held.arrived;
  controller.abort(new Error("gone"));
  assert.equal((await rejection(aborted)).message, "gone");
  held.release();
  assert.equal((await patient).status, 200);
  assert.equal(api.requests.length, 1);
  assert.equal(server.oracle.presentations, 1);
});

test("nobody signed in: NoSessionError, and no request", async (t) => {
  const { auth, api } = await withApi(t);
  await auth.signOut();
  await rejects(auth.fetch(api.url("/orders")), "NoSessionError");
  assert.equal(api.requests.length, 0);
});

test("a network failure of the API is the API's", async (t) => {
  const { auth, api, server } = await withApi(t);
  api.answer = (response) => response.socket.destroy();
  const error = await rejection(auth.fetch(api.url("/orders")));
  assert.ok(error instanceof TypeError);
  assert.equal(server.oracle.presentations, 0);
});

test("a refusal of the refresh after a 401 is what the caller hears", async (t) => {
  const { auth, api, rejected, before, server } = await withApi(t, { retries: 0 });
  rejected.add(before.accessToken);
  server.next(1, oauthError("invalid_grant"));
  await rejects(auth.fetch(api.url("/orders")), "RevokedError");
  assert.equal(auth.getSnapshot().status, "revoked");
});
