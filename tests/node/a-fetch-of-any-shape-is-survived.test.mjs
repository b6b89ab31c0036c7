// An injected `fetch` that misbehaves: a typed rejection each time, and the next call works.

import assert from "node:assert/strict";
import test from "node:test";

import { startScriptedServer } from "../authorization-server/scripted.mjs";
import { failing, honest, silent } from "./callbacks-of-any-shape.mjs";
import { Clock } from "./clock.mjs";
import { assertError, rejection, rejects } from "./errors.mjs";
import { LIFETIME, authorizationServer, coordinator } from "./scene.mjs";

/** A coordinator on a real server whose `fetch` can be replaced at any time. */
async function withFetch(t, instead) {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const { tokens } = await server.signIn();
  const given = { fetch: instead };
  const auth = coordinator(t, server, { clock, retries: 0, timeout: 4_321, fetch: (...args) => given.fetch(...args) });
  await auth.setTokens(tokens);
  clock.advance(LIFETIME);
  const nextCallWorks = async (error) => {
    given.fetch = fetch;
    clock.advance(Math.max(0, (error.retryAt ?? 0) - clock.now(), 5_000));
    assert.equal(await server.isActive(await auth.getAccessToken()), true);
    assert.equal(server.oracle.counts().reuses, 0);
  };
  return { server, clock, auth, tokens, nextCallWorks };
}

for (const [name, wrap] of Object.entries(honest)) {
  test(`fetch returns ${name}`, async (t) => {
    const { server, auth } = await withFetch(t, async (...args) => wrap(await fetch(...args)));
    assert.equal(await server.isActive(await auth.getAccessToken()), true);
  });
}

for (const [name, fail] of Object.entries(failing)) {
  test(`fetch ${name}`, async (t) => {
    const { auth, nextCallWorks } = await withFetch(t, fail);
    const error = await rejects(auth.getAccessToken(), "TransientError");
    await nextCallWorks(error);
  });
}

for (const [name, hang] of Object.entries(silent)) {
  test(`fetch ${name}`, async (t) => {
    const { auth, clock, nextCallWorks } = await withFetch(t, hang);
    const caller = auth.getAccessToken();
    await clock.asleep(4_321);
    clock.advance(4_321);
    await nextCallWorks(await rejects(caller, "TransientError", { code: "timeout", spent: "maybe" }));
  });
}

const foreign = {
  undefined,
  null: null,
  "a number": 200,
  "an empty object": {},
  "an object that says it is ok": { ok: true, status: 200 },
  "a response without headers": { ok: true, status: 200, text: async () => "{}" },
  "a response whose body cannot be read": {
    ok: true,
    status: 200,
    headers: new Headers(),
    text: () => Promise.reject("no"),
    json: () => Promise.reject("no"),
    arrayBuffer: () => Promise.reject("no"),
  },
  "a response whose every member throws": new Proxy({}, { get: () => raise() }),
  "a response that was read before": await (async () => {
    const response = Response.json({ access_token: "A1", expires_in: 60 });
    await response.text();
    return response;
  })(),
  "a network error response": Response.error(),
};
for (const [name, response] of Object.entries(foreign)) {
  test(`fetch returns ${name}`, async (t) => {
    const { auth, nextCallWorks } = await withFetch(t, async () => response);
    const error = await rejects(auth.getAccessToken(), "TransientError", { spent: "maybe" });
    await nextCallWorks(error);
  });
}

test("a host without fetch", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const { tokens } = await server.signIn();
  const auth = coordinator(t, server, { clock, retries: 0 });
  await auth.setTokens(tokens);
  clock.advance(LIFETIME);
  const host = globalThis.fetch;
  t.after(() => (globalThis.fetch = host));
  delete globalThis.fetch;
  const error = await rejection(auth.getAccessToken());
  assert.ok(["ConfigurationError", "TransientError"].includes(error.name), String(error));
  assertError(error, error.name, { spent: "no" });
  globalThis.fetch = host;
  clock.advance(Math.max(5_000, (error.retryAt ?? 0) - clock.now()));
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
});

test("a response of another library or realm is understood, or refused with a type", async (t) => {
  const polyfill = async (...args) => {
    const response = await fetch(...args);
    const text = await response.text();
    return {
      ok: response.ok,
      status: response.status,
      headers: { get: (name) => response.headers.get(name), forEach: (each) => response.headers.forEach(each) },
      text: async () => text,
      json: async () => JSON.parse(text),
      arrayBuffer: async () => new TextEncoder().encode(text).buffer,
    };
  };
  const { server, auth } = await withFetch(t, polyfill);
  const [outcome] = await Promise.allSettled([auth.getAccessToken()]);
  if (outcome.status === "fulfilled") assert.equal(await server.isActive(outcome.value), true);
  else assertError(outcome.reason, "TransientError", { spent: "maybe" });
});

test("a body that never ends is given up in time", async (t) => {
  const endless = () => new Response(new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode("{")) }));
  const { auth, clock, nextCallWorks } = await withFetch(t, async () => endless());
  const caller = auth.getAccessToken();
  await clock.asleep(4_321);
  clock.advance(4_321);
  await nextCallWorks(await rejects(caller, "TransientError", { spent: "maybe" }));
});

test("a body that breaks off", async (t) => {
  const broken = () => {
    const body = new ReadableStream({
      start(stream) {
        stream.enqueue(new TextEncoder().encode('{"access_'));
        stream.error("gone");
      },
    });
    return new Response(body, { headers: { "content-type": "application/json" } });
  };
  const { auth, nextCallWorks } = await withFetch(t, async () => broken());
  await nextCallWorks(await rejects(auth.getAccessToken(), "TransientError", { spent: "maybe" }));
});

test("a connection that was never made says so: the token is not spent", async (t) => {
  const gone = await startScriptedServer();
  await gone.close();
  const { auth } = await withFetch(t, (_input, init) => fetch(gone.tokenEndpoint, init));
  const error = await rejection(auth.getAccessToken());
  assertError(error, "TransientError", { fault: "network", spent: "no" });
});

test("fetch is called as a function of the host, and asked for no cache, no cookies and no redirects", async (t) => {
  const seen = [];
  const { auth, server, tokens } = await withFetch(t, (input, init) => {
    seen.push(input instanceof Request ? input.clone() : new Request(input, init));
    return fetch(input, init);
  });
  await auth.getAccessToken();
  const [request] = seen;
  assert.equal(request.url, server.tokenEndpoint);
  assert.equal(request.method, "POST");
  assert.equal(request.redirect === "manual" || request.redirect === "error", true);
  assert.equal(request.cache, "no-store");
  assert.equal(request.credentials, "omit");
  assert.equal(request.referrerPolicy, "no-referrer");
  assert.match(request.headers.get("content-type"), /^application\/x-www-form-urlencoded/);
  assert.match(request.headers.get("accept"), /application\/json/);
  assert.ok(!request.url.includes(tokens.refresh_token));
});

function raise() {
  throw new Error("a getter threw");
}
