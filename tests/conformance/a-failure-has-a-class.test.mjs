// What a failed refresh is called, by whatever way it fails: an exchange of the app's own, a reply, the network, a missing token.

import assert from "node:assert/strict";
import test from "node:test";

import * as faults from "../authorization-server/faults.mjs";
import { reply, startScriptedServer } from "../authorization-server/scripted.mjs";
import { Clock } from "../node/clock.mjs";
import { rejection, rejects } from "../node/errors.mjs";
import { LIFETIME, coordinator, scene, times } from "../node/scene.mjs";

/** A session whose access token is over, and an exchange of the app's own. */
async function custom(t, refresh, options = {}) {
  const clock = new Clock();
  const auth = coordinator(t, { tokenEndpoint: undefined }, { clientId: undefined, name: "app", clock, retries: 0, refresh, ...options });
  await auth.setTokens({ access_token: "A0", refresh_token: "R0", expires_in: 300 });
  clock.advance(LIFETIME);
  return { clock, auth };
}

/** An error as an app's own HTTP layer throws it: known by its name and a status, by no class of ours. */
const httpError = (statusCode) => Object.assign(new Error(`refresh failed: ${statusCode}`), { name: "RefreshTokenHttpError", statusCode });

test("MM-03 MM-04 MM-05 MB-28: an error thrown by the exchange is judged by its status; without one it is not now", async (t) => {
  const cases = [
    [new Error("something else"), "TransientError", { status: undefined, spent: "maybe" }],
    [httpError(401), "RevokedError", { status: 401 }],
    [httpError(500), "TransientError", { status: 500 }],
    [httpError(503), "TransientError", { status: 503 }],
  ];
  for (const [thrown, name, fields] of cases) {
    let requests = 0;
    const { auth } = await custom(t, () => {
      requests += 1;
      throw thrown;
    });
    const callers = times(10, () => auth.getAccessToken());
    await rejects(callers[0], name, fields);
    await Promise.allSettled(callers);
    assert.equal(requests, 1);
  }
});

test("MM-06 MM-80: the tokens are there, and the step after them fails: not now, each step was done once, and the session stays", async (t) => {
  const done = [];
  let nodesAreDown = true;
  const { auth, clock } = await custom(t, async () => {
    done.push("tokens");
    await Promise.resolve();
    done.push("nodes");
    if (nodesAreDown) throw new Error("the nodes did not accept it");
    return { access_token: "A1", refresh_token: "R1", expires_in: 300 };
  });
  const error = await rejects(auth.getAccessToken(), "TransientError", { spent: "maybe" });
  assert.match(error.cause.message, /nodes/);
  assert.deepEqual(done, ["tokens", "nodes"]);
  nodesAreDown = false;
  clock.advance(error.retryAt - clock.now());
  assert.equal(await auth.getAccessToken(), "A1");
});

test("MM-31 MM-83: the kind of token that is asked for is not there: a refusal that says which", async (t) => {
  const { auth, clock } = await custom(t, ({ deadline }) => ({ expiresAt: deadline + LIFETIME }));
  await auth.setTokens({ expiresAt: clock.now() + LIFETIME });
  assert.equal((await auth.getTokens()).accessToken, undefined);
  await rejects(auth.getAccessToken(), "ConfigurationError", { code: "no-access-token" });
});

test("MM-85 CL-10: without a refresh token a session is good until it ends; then the user must sign in, and nobody is asked", async (t) => {
  const { server, auth, clock, tokens } = await scene(t);
  await auth.setTokens({ access_token: tokens.access_token, expires_in: 60 });
  assert.equal(await auth.getAccessToken(), tokens.access_token);
  clock.advance(60_000);
  const error = await rejection(auth.getAccessToken());
  assert.equal(error.signInRequired, true);
  assert.equal(server.oracle.presentations, 0);
});

test("MM-84 MM-86: a sign-in without any token, or with one that is empty or no text, is refused, and the session that is there goes on", async (t) => {
  const { auth, before } = await scene(t);
  for (const nothing of [{}, { access_token: "", refresh_token: "" }, { refresh_token: "" }, { access_token: "A", refresh_token: 5 }, { token_type: "Bearer" }]) {
    await rejects(auth.setTokens(nothing), "ConfigurationError");
  }
  assert.equal(await auth.getAccessToken(), before.accessToken);
});

test("MB-03: the network fails: not now, and the network's own error is behind it", async (t) => {
  const { auth, server, expire } = await scene(t, { retries: 0, fetch: () => Promise.reject(new TypeError("network request failed")) });
  expire();
  const error = await rejects(auth.getAccessToken(), "TransientError", { fault: "network" });
  assert.match(String(error.cause?.message), /network request failed/);
  assert.equal(server.oracle.presentations, 0);
});

test("MB-04: status 400 with a body of any other kind: a rejection, and the credential is kept", async (t) => {
  for (const body of ["", "Bad Request", { message: "bad request" }]) {
    const { auth, server, clock, expire } = await scene(t, { retries: 0 });
    expire();
    server.next(1, faults.answer(400, body));
    const error = await rejection(auth.getAccessToken());
    assert.equal(error.status, 400);
    assert.equal(error.signInRequired, false);
    clock.advance(300_000);
    assert.equal(await server.isActive(await auth.getAccessToken()), true);
  }
});

test("MB-05 MB-18 MB-26 MB-32 MB-33: a 200 without what is needed is no success, and its body is not repeated", async (t) => {
  const secret = "8kJvQx2mWz7Tn4Yb1Lc9";
  const bodies = [
    JSON.stringify({ id_token: secret, note: secret }),
    JSON.stringify({ access_token: "", id_token: secret, refresh_token: secret }),
    JSON.stringify({ access_token: null, id_token: secret }),
    JSON.stringify({ access_token: undefined, refresh_token: null, id_token: secret }),
    `{"access_token":"A1","id_token":"${secret}`,
    `<html>${secret}</html>`,
  ];
  for (const body of bodies) {
    const server = await startScriptedServer(reply(body), reply(JSON.stringify({ access_token: "A1", expires_in: 300 })));
    t.after(() => server.close());
    const clock = new Clock();
    const auth = coordinator(t, server, { clock, retries: 0 });
    await auth.setTokens({ access_token: "A0", refresh_token: "R0", expires_in: 300 });
    clock.advance(LIFETIME);
    const error = await rejects(auth.getAccessToken(), "TransientError", { status: 200, spent: "maybe" });
    assert.ok(!`${error} ${error.cause} ${JSON.stringify(error)}`.includes(secret));
    clock.advance(error.retryAt - clock.now());
    assert.equal(await auth.getAccessToken(), "A1", "and the credential was kept");
  }
});

test("IM-C5 IM-C6: an exchange that returns null, or a session with an error in it, is a rejection that names the error", async (t) => {
  for (const [answer, oauthError] of [[null, undefined], [{ user: {}, error: "RefreshTokenError" }, "RefreshTokenError"]]) {
    const { auth } = await custom(t, () => answer);
    await rejects(auth.getAccessToken(), "TransientError", { oauthError });
    assert.equal(auth.getSnapshot().error.oauthError, oauthError);
  }
});

test("IM-C13: after a failure a forced refresh brings the session back, and the error goes away", async (t) => {
  const { auth, server, clock, expire } = await scene(t, { retries: 0 });
  expire();
  server.next(1, faults.unavailable());
  const { retryAt } = await rejects(auth.getAccessToken(), "TransientError");
  assert.equal(auth.getSnapshot().error.name, "TransientError");
  clock.advance(retryAt - clock.now());
  const { accessToken } = await auth.refresh({ mintedAfterNow: true });
  assert.equal(await server.isActive(accessToken), true);
  const { status, error } = auth.getSnapshot();
  assert.deepEqual([status, error], ["active", undefined]);
});

test("IM-A4: login_required: one request, and the user must sign in; the credential is kept for afterwards", async (t) => {
  const { auth, server, clock, expire } = await scene(t);
  expire();
  server.next(1, faults.oauthError("login_required"));
  await rejects(auth.getAccessToken(), "InteractionRequiredError", { oauthError: "login_required" });
  assert.equal(server.oracle.presentations, 1);
  clock.advance(5_000);
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
});
