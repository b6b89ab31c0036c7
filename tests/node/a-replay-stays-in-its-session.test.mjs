// After a 401, `fetch` and `run` try once more: for the same user, with a token of the same session, and not for ever.

import assert from "node:assert/strict";
import test from "node:test";

import { startResourceServer } from "../authorization-server/resource-server.mjs";
import { rejects } from "./errors.mjs";
import { authorizationServer, coordinator, scene } from "./scene.mjs";
import { Clock } from "./clock.mjs";

async function withApi(t, isGood, options) {
  const api = await startResourceServer(isGood);
  t.after(() => api.close());
  return { api, ...(await scene(t, { origins: [api.origin], ...options })) };
}

test("a request of one user is never repeated as another: `fetch` returns the refusal", async (t) => {
  const { api, server, auth } = await withApi(t, () => false);
  const { tokens: others } = await server.signIn();
  api.before = async () => void (await auth.setTokens(others));
  const reply = await auth.fetch(api.url("/orders"), { method: "POST", body: "an order" });
  assert.equal(reply.status, 401);
  assert.equal(api.requests.length, 1);
  assert.equal(await auth.getAccessToken(), others.access_token);
});

test("nor is an operation: `run` ends as it did", async (t) => {
  const { auth, server } = await scene(t);
  const { tokens: others } = await server.signIn();
  const seen = [];
  const running = auth.run(async (token) => {
    seen.push(token);
    await auth.setTokens(others);
    throw Object.assign(new Error("unauthorized"), { status: 401 });
  });
  await assert.rejects(running, /unauthorized/);
  assert.equal(seen.length, 1);
});

test("a 401 from where a redirect led without the token causes no refresh", async (t) => {
  const elsewhere = await startResourceServer(() => false);
  t.after(() => elsewhere.close());
  const { api, auth, server } = await withApi(t, () => true);
  api.answer = (response) => response.writeHead(302, { location: elsewhere.url("/") }).end();
  assert.equal((await auth.fetch(api.url("/"))).status, 401);
  assert.equal(elsewhere.requests[0].authorization, undefined);
  assert.equal(server.oracle.presentations, 0);
});

test("an API that refuses whatever was minted for it causes one rotation, not one for each request", async (t) => {
  const { api, auth, server } = await withApi(t, () => false);
  for (let count = 0; count < 5; count += 1) assert.equal((await auth.fetch(api.url("/"))).status, 401);
  assert.equal(server.oracle.presentations, 1);
  const refused = () => auth.run(() => Promise.reject(Object.assign(new Error("unauthorized"), { status: 401 })));
  await assert.rejects(refused(), /unauthorized/);
  assert.equal(server.oracle.presentations, 1);
});

test("a token of another type than bearer is not sent as one", async (t) => {
  const { api, auth } = await withApi(t, () => true);
  await auth.setTokens({ access_token: "A", token_type: "DPoP", expires_in: 60 });
  await rejects(auth.fetch(api.url("/")), "ConfigurationError", { code: "token-type" });
  assert.equal(api.requests.length, 0);
});

test("without a refresh token the access token lives to its end, whoever refuses it", async (t) => {
  const { api, server, auth, clock } = await withApi(t, () => false);
  await auth.setTokens({ access_token: "A", expires_in: 60 });
  assert.equal((await auth.fetch(api.url("/"))).status, 401);
  await rejects(auth.refresh(), "NoSessionError", { code: "no-refresh-token" });
  await rejects(auth.getTokens({ params: { audience: "other" } }), "NoSessionError", { code: "no-refresh-token" });
  assert.equal(auth.getSnapshot().status, "active");
  clock.advance(60_000);
  await rejects(auth.getAccessToken(), "RevokedError", { reason: "expired" });
  assert.equal(server.oracle.presentations, 0);
});

test("members of `init` that are undefined change nothing about a Request", async (t) => {
  const { api, auth } = await withApi(t, () => true);
  const request = new Request(api.url("/"), { method: "POST", body: "an order" });
  await auth.fetch(request, { method: undefined, body: undefined });
  assert.deepEqual([api.requests[0].method, api.requests[0].body], ["POST", "an order"]);
});

test("a relative address outside a page is explained", async (t) => {
  const { auth } = await withApi(t, () => true);
  await assert.rejects(auth.fetch("/orders"), { name: "TypeError", message: /only in a page/ });
});

test("an address that is not http never gets the token", async (t) => {
  const server = await authorizationServer(t);
  const sent = [];
  const fetch = (...request) => (sent.push(request), new Response());
  const auth = coordinator(t, server, { clock: new Clock(), origins: ["https://api.example"], fetch });
  await auth.setTokens({ access_token: "A", expires_in: 60 });
  await assert.rejects(auth.fetch("evil-app://collect/x"), TypeError);
  assert.equal(sent.length, 0);
});
