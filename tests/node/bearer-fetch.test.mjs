// auth.fetch: where the token goes, when a request is sent again, and when it is not.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import test from "node:test";

import { RefreshCoordinator } from "refresh-coordinator";

/** A resource server on a port of its own that notes what it got. */
async function resource(t, answer) {
  const seen = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url, method: request.method, authorization: request.headers.authorization });
    answer(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { seen, origin: `http://127.0.0.1:${server.address().port}` };
}

async function signedIn(t, origins, options = {}) {
  let count = 0;
  const refresh = () => ({ access_token: `A${(count += 1)}`, refresh_token: `R${count}`, expires_in: 300 });
  const auth = new RefreshCoordinator({ refresh, origins, ...options });
  t.after(() => auth.close());
  await auth.setTokens({ access_token: "A0", refresh_token: "R0", expires_in: 300 });
  return { auth, refreshes: () => count };
}

const refuse = (challenge) => (request, response) => {
  const refused = request.headers.authorization === "Bearer A0";
  response.writeHead(refused ? 401 : 200, challenge && { "www-authenticate": challenge }).end();
};

test("the token goes to allowed origins only; elsewhere nothing is sent", async (t) => {
  const [api, other] = [await resource(t, (_, response) => response.end()), await resource(t, (_, response) => response.end())];
  const { auth } = await signedIn(t, [api.origin]);
  await auth.fetch(`${api.origin}/orders`);
  assert.equal(api.seen[0].authorization, "Bearer A0");
  await assert.rejects(auth.fetch(other.origin), TypeError);
  assert.deepEqual(other.seen, []);
  await auth.fetch(api.origin, { headers: { Authorization: "Basic eA==" } });
  assert.equal(api.seen[1].authorization, "Basic eA==", "the caller's own wins");
});

test("after a 401 to our token: another token, and once more", async (t) => {
  const api = await resource(t, refuse());
  const { auth, refreshes } = await signedIn(t, [api.origin]);
  const replies = await Promise.all(Array.from({ length: 20 }, () => auth.fetch(api.origin, { method: "POST", body: "b" })));
  assert.ok(replies.every(({ status }) => status === 200));
  assert.equal(refreshes(), 1);
});

for (const challenge of [
  'Bearer realm="a", error="insufficient_scope"',
  'Bearer error=insufficient_user_authentication, acr_values="mfa"',
  'Digest realm="Bearer , x", Bearer realm="r", error="insufficient_scope"',
]) {
  test(`a new token would not help: ${challenge}`, async (t) => {
    const api = await resource(t, refuse(challenge));
    const { auth, refreshes } = await signedIn(t, [api.origin]);
    assert.equal((await auth.fetch(api.origin)).status, 401);
    assert.deepEqual([api.seen.length, refreshes()], [1, 0]);
  });
}

test("a stream is not sent twice", async (t) => {
  const api = await resource(t, refuse());
  const { auth } = await signedIn(t, [api.origin]);
  const body = new Blob(["streamed"]).stream();
  assert.equal((await auth.fetch(api.origin, { method: "POST", body, duplex: "half" })).status, 401);
  assert.equal(api.seen.length, 1);
});

test("a redirect to another origin carries no token, even where `fetch` would carry it", async (t) => {
  const other = await resource(t, (_, response) => response.end("other"));
  const api = await resource(t, (_, response) => response.writeHead(302, { location: `${other.origin}/there` }).end());
  // What some hosts still do: follow, and keep the header.
  const keeping = async (input, init) => {
    const reply = await fetch(input, { ...init, redirect: "manual" });
    const follows = (init?.redirect ?? "follow") === "follow" && reply.status === 302;
    return follows ? fetch(reply.headers.get("location"), { headers: init?.headers }) : reply;
  };
  for (const options of [{}, { fetch: keeping }]) {
    const { auth } = await signedIn(t, [api.origin], options);
    assert.equal(await (await auth.fetch(api.origin)).text(), "other");
  }
  assert.equal(api.seen[0].authorization, "Bearer A0");
  assert.deepEqual(other.seen.map(({ authorization }) => authorization), [undefined, undefined]);
});

test("an aborted caller leaves; the refresh goes on for the others", async (t) => {
  const api = await resource(t, refuse());
  let go;
  const refresh = () => new Promise((resolve) => (go = () => resolve({ access_token: "A1", refresh_token: "R1", expires_in: 300 })));
  const { auth } = await signedIn(t, [api.origin], { refresh });
  const controller = new AbortController();
  const [leaves, stays] = [auth.fetch(api.origin, { signal: controller.signal }), auth.fetch(api.origin)];
  while (go === undefined) await new Promise(setImmediate);
  controller.abort(new Error("gone"));
  await assert.rejects(leaves, /gone/);
  go();
  assert.equal((await stays).status, 200);
});
