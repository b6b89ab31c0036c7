// Every token of a reply reaches the store and the caller, and what a reply leaves out is kept.

import assert from "node:assert/strict";
import test from "node:test";

import { RefreshCoordinator } from "refresh-coordinator";

import { reply, startScriptedServer } from "../authorization-server/scripted.mjs";
import { Clock } from "../node/clock.mjs";
import { LIFETIME, coordinator, scene } from "../node/scene.mjs";
import { TestStore } from "../node/store.mjs";

const json = (value) => reply(JSON.stringify(value));

/** Signed in at a server that answers with these members. */
async function answering(t, members, { first = {}, ...options } = {}) {
  const server = await startScriptedServer(json(members));
  t.after(() => server.close());
  const clock = new Clock();
  const store = new TestStore(clock);
  const auth = coordinator(t, server, { clock, store, ...options });
  await auth.setTokens({ access_token: "A0", refresh_token: "R0", expires_in: 300, ...first });
  clock.advance(LIFETIME);
  return { server, clock, store, auth };
}

test("MM-08 MB-25: every token of the reply is stored, members nobody knows among them", async (t) => {
  const members = { access_token: "A1", refresh_token: "R1", id_token: "I1", metadata_access_token: "M1", expires_in: 300, tenant: { id: 5 } };
  const { store, auth } = await answering(t, members);
  const { accessToken, refreshToken, idToken, extra } = await auth.getTokens();
  assert.deepEqual([accessToken, refreshToken, idToken], ["A1", "R1", "I1"]);
  assert.deepEqual({ ...extra }, { metadata_access_token: "M1", tenant: { id: 5 } });
  const [stored] = Object.values(store.contents);
  for (const token of ["A1", "R1", "I1", "M1"]) assert.ok(stored.includes(`"${token}"`), token);
});

test("MM-07: what is sealed is sealed anew with the new tokens, and opens with the key alone", async (t) => {
  const sealKey = "a seal key that is long enough";
  const members = { access_token: "A1", refresh_token: "R1", metadata_access_token: "M1", expires_in: 300 };
  const { server, clock, store, auth } = await answering(t, members, { sealKey });
  const before = JSON.stringify(store.contents);
  await auth.getTokens();
  assert.notEqual(JSON.stringify(store.contents), before);
  const next = coordinator(t, server, { clock, store, sealKey });
  const { accessToken, refreshToken, extra } = await next.getTokens();
  assert.deepEqual([accessToken, refreshToken, extra.metadata_access_token], ["A1", "R1", "M1"]);
  assert.equal(server.requests.length, 1);
});

test("MB-34: tokens of 5000 letters arrive as they are, and are presented as they are", async (t) => {
  const long = (letter) => `${letter}-.~+/=_`.repeat(625);
  const members = { access_token: long("A"), refresh_token: long("R"), expires_in: 300 };
  const { server, clock, auth } = await answering(t, members);
  const { accessToken, refreshToken } = await auth.getTokens();
  assert.deepEqual([accessToken, refreshToken, accessToken.length], [members.access_token, members.refresh_token, 5000]);
  clock.advance(LIFETIME);
  await auth.getTokens();
  assert.equal(server.requests[1].form.get("refresh_token"), members.refresh_token);
});

test("N-18: a reply without refresh token, id token and scope: the old ones are kept, and the old token is presented again", async (t) => {
  const first = { id_token: "I0", scope: "openid" };
  const { server, clock, auth } = await answering(t, { access_token: "A1", expires_in: 300 }, { first });
  for (let round = 0; round < 2; round += 1) {
    const { accessToken, refreshToken, idToken, scope } = await auth.getTokens();
    assert.deepEqual([accessToken, refreshToken, idToken, scope], ["A1", "R0", "I0", "openid"]);
    clock.advance(LIFETIME);
  }
  assert.deepEqual(server.requests.map(({ form }) => form.get("refresh_token")), ["R0", "R0"]);
});

test("IM-A1: once the event of a refresh is heard, the new pair is there, and needs no request", async (t) => {
  const { auth, server, before, expire } = await scene(t);
  const heard = new Promise((resolve) => auth.subscribe((event) => event?.type === "refreshed" && resolve(auth.getTokens())));
  expire();
  auth.getAccessToken();
  const after = await heard;
  assert.notEqual(after.accessToken, before.accessToken);
  assert.notEqual(after.refreshToken, before.refreshToken);
  assert.equal(await server.isAlive(after.refreshToken), true);
  assert.equal(server.oracle.presentations, 1);
});

test("IM-C9: a background refresh does not show: the status stays active", async (t) => {
  const { auth, server, clock, before } = await scene(t);
  const shown = new Set();
  auth.subscribe(() => shown.add(auth.getSnapshot().status));
  const held = server.holdReply();
  clock.advance(LIFETIME - 60_000);
  assert.equal(await auth.getAccessToken(), before.accessToken);
  await held.arrived;
  shown.add(auth.getSnapshot().status);
  const refreshed = new Promise((resolve) => auth.subscribe((event) => event?.type === "refreshed" && resolve()));
  held.release();
  await refreshed;
  assert.deepEqual([...shown], ["active"]);
});

test("N-15: at 400, 401 and 403 the member `error` decides, and a word in the sentence beside it does not", async (t) => {
  for (const status of [400, 401, 403]) {
    const says = async (body) => {
      const clock = new Clock();
      const auth = new RefreshCoordinator({ name: "app", clock, retries: 0, refresh: () => Response.json(body, { status }) });
      t.after(() => auth.close());
      await auth.setTokens({ access_token: "A0", refresh_token: "R0", expires_in: 300 });
      clock.advance(LIFETIME);
      return auth.getAccessToken().catch(({ name, oauthError }) => `${name} ${oauthError}`);
    };
    assert.equal(await says({ error: "invalid_grant" }), "RevokedError invalid_grant");
    const error_description = "this is not an invalid_grant";
    assert.equal(await says({ error: "invalid_client", error_description }), "ConfigurationError invalid_client");
    assert.equal(await says({ error: "temporarily_unavailable", error_description }), "TransientError temporarily_unavailable");
    assert.equal(await says({ error: "interaction_required", error_description }), "InteractionRequiredError interaction_required");
  }
});
