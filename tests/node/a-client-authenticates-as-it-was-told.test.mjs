// Client authentication against a real server, and callbacks that are asked for it.

import assert from "node:assert/strict";
import test from "node:test";

import { CLIENT_SECRET, CONFIDENTIAL_CLIENT } from "../authorization-server/provider.mjs";
import { reply, startScriptedServer } from "../authorization-server/scripted.mjs";
import { failing, honest, silent } from "./callbacks-of-any-shape.mjs";
import { Clock } from "./clock.mjs";
import { rejects } from "./errors.mjs";
import { LIFETIME, authorizationServer, coordinator } from "./scene.mjs";

async function confidential(t, options) {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const { tokens } = await server.signIn({ clientId: CONFIDENTIAL_CLIENT });
  const auth = coordinator(t, server, { clock, clientId: CONFIDENTIAL_CLIENT, retries: 0, ...options });
  await auth.setTokens(tokens);
  clock.advance(LIFETIME);
  return { server, clock, auth };
}

test("a secret is sent by HTTP Basic, encoded as the standard says", async (t) => {
  const { server, auth } = await confidential(t, { clientSecret: CLIENT_SECRET });
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
});

test("a wrong secret is a configuration error, and the session lives", async (t) => {
  const { server, auth } = await confidential(t, { clientSecret: "wrong" });
  await rejects(auth.getAccessToken(), "ConfigurationError", { oauthError: "invalid_client", status: 401, spent: "no" });
  assert.equal(server.oracle.counts().revocations, 0);
});

test("a secret in the form", async (t) => {
  const server = await startScriptedServer(reply(JSON.stringify({ access_token: "A1", expires_in: 300 })));
  t.after(() => server.close());
  const auth = coordinator(t, server, { clock: new Clock(), clientSecret: CLIENT_SECRET, clientAuthentication: "post" });
  await auth.setTokens({ refresh_token: "R0" });
  await auth.getAccessToken();
  const [{ head, form }] = server.requests;
  assert.equal(form.get("client_secret"), CLIENT_SECRET);
  assert.doesNotMatch(head, /authorization:/i);
});

const basic = () => {
  const encode = (text) => encodeURIComponent(text).replaceAll("%20", "+").replaceAll("!", "%21");
  return { headers: { authorization: `Basic ${btoa(`${encode(CONFIDENTIAL_CLIENT)}:${encode(CLIENT_SECRET)}`)}` } };
};

for (const [name, wrap] of Object.entries(honest)) {
  test(`a function that returns ${name}`, async (t) => {
    const seen = [];
    const { server, auth } = await confidential(t, { clientAuthentication: (about) => (seen.push(about), wrap(basic())) });
    assert.equal(await server.isActive(await auth.getAccessToken()), true);
    assert.equal(seen.length, 1);
    assert.equal(seen[0].url, server.tokenEndpoint);
    assert.equal(seen[0].method, "POST");
  });
}

for (const [name, fail] of Object.entries(failing)) {
  test(`a function that ${name}: nothing is sent, and the next call works`, async (t) => {
    let answer = fail;
    const { server, clock, auth } = await confidential(t, { clientAuthentication: () => answer() });
    const error = await rejects(auth.getAccessToken(), "TransientError", { spent: "no" });
    assert.equal(server.oracle.presentations, 0);
    answer = basic;
    clock.advance(Math.max(5_000, (error.retryAt ?? 0) - clock.now()));
    assert.equal(await server.isActive(await auth.getAccessToken()), true);
  });
}

for (const [name, hang] of Object.entries(silent)) {
  test(`a function that ${name}: nothing is sent, and the next call works`, async (t) => {
    let answer = hang;
    const { server, clock, auth } = await confidential(t, { clientAuthentication: () => answer(), timeout: 4_321 });
    const caller = auth.getAccessToken();
    await clock.asleep(4_321);
    clock.advance(4_321);
    const error = await rejects(caller, "TransientError", { spent: "no" });
    assert.equal(server.oracle.presentations, 0);
    answer = basic;
    clock.advance(Math.max(5_000, (error.retryAt ?? 0) - clock.now()));
    assert.equal(await server.isActive(await auth.getAccessToken()), true);
  });
}

for (const answer of [5, "Basic abc", { headers: 5 }, { headers: { authorization: 5 } }, { params: { client_assertion: {} } }]) {
  test(`a function that returns ${JSON.stringify(answer)} is a mistake of the developer's`, async (t) => {
    const { server, auth } = await confidential(t, { clientAuthentication: () => answer });
    await rejects(auth.getAccessToken(), "ConfigurationError", { spent: "no" });
    assert.equal(server.oracle.presentations, 0);
  });
}

test("a function learns the nonce that the server wants in a DPoP proof, and the refused attempt is repeated with it", async (t) => {
  const wanted = { status: 400, headers: { "dpop-nonce": "N1" } };
  const server = await startScriptedServer(
    reply(JSON.stringify({ error: "use_dpop_nonce" }), wanted),
    reply(JSON.stringify({ access_token: "A1", refresh_token: "R1", expires_in: 300 }), { headers: { "dpop-nonce": "N2" } }),
    reply(JSON.stringify({ access_token: "A2", refresh_token: "R2", expires_in: 300 })),
  );
  t.after(() => server.close());
  const proof = ({ dpopNonce }) => ({ headers: { dpop: `proof with ${dpopNonce}` } });
  const clock = new Clock();
  clock.skips = 2_000;
  const auth = coordinator(t, server, { clock, clientAuthentication: proof });
  await auth.setTokens({ refresh_token: "R0" });
  assert.equal(await auth.getAccessToken(), "A1");
  assert.equal((await auth.refresh()).accessToken, "A2");
  const proofs = server.requests.map(({ head }) => /^dpop: (.*)$/im.exec(head)[1].trim());
  assert.deepEqual(proofs, ["proof with undefined", "proof with N1", "proof with N2"]);
});
