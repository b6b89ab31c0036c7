// Exchanges are serialized per session; flights are shared per session and request parameters.

import assert from "node:assert/strict";
import test from "node:test";

import { RefreshCoordinator } from "refresh-coordinator";

import { Clock } from "./clock.mjs";
import { rejection, rejects } from "./errors.mjs";
import { scene, times } from "./scene.mjs";

test("N-17: two sets of parameters at one expiry: two presentations, one after the other, nobody gets the other's token", async (t) => {
  const { server, auth, expire, counts } = await scene(t);
  expire();
  const [plain, narrow] = [times(100, () => auth.getTokens()), times(100, () => auth.getTokens({ params: { scope: "openid" } }))];
  assert.equal(new Set(plain).size, 1);
  assert.equal(new Set(narrow).size, 1);
  const [wide, small] = [await plain[0], await narrow[0]];
  assert.notEqual(wide.accessToken, small.accessToken);
  assert.equal(wide.scope, "openid offline_access");
  assert.equal(small.scope, "openid");
  assert.equal(counts().rotations, 2);
  assert.equal(counts().reuses, 0);
  assert.equal((await auth.getTokens()).accessToken, wide.accessToken, "both are kept");
  assert.equal((await auth.getTokens({ params: { scope: "openid" } })).accessToken, small.accessToken);
  const handedOut = [await auth.getTokens(), await auth.getTokens({ params: { scope: "openid" } })];
  for (const { refreshToken } of handedOut) assert.equal(await server.isAlive(refreshToken), true, "never a spent one");
  assert.equal(server.oracle.presentations, 2);
});

test("ten sets of parameters at once on a custom refresh: never two at a time, always the newest refresh token", async (t) => {
  const clock = new Clock();
  let [running, most, count] = [0, 0, 0];
  const seen = [];
  const auth = new RefreshCoordinator({
    clock,
    async refresh({ refreshToken, params }) {
      most = Math.max(most, (running += 1));
      seen.push(refreshToken);
      await new Promise(setImmediate);
      running -= 1;
      return { access_token: `A for ${params.resource}`, refresh_token: `R${(count += 1)}`, expires_in: 300 };
    },
  });
  t.after(() => auth.close());
  await auth.setTokens({ refresh_token: "R0" });
  const tokens = await Promise.all(times(10, (_, index) => auth.getAccessToken({ params: { resource: `r${index}` } })));
  assert.deepEqual(tokens, times(10, (_, index) => `A for r${index}`));
  assert.equal(most, 1);
  assert.deepEqual(seen, times(10, (_, index) => `R${index}`));
});

test("the same parameters in another order are the same", async (t) => {
  const { auth, expire } = await scene(t);
  expire();
  const one = auth.getTokens({ params: { scope: "openid", resource: "https://api.invalid" } });
  assert.equal(auth.getTokens({ params: { resource: "https://api.invalid", scope: "openid" } }), one);
  await one.catch(() => {});
});

test("parameters of a call are laid over those of the option", async (t) => {
  const clock = new Clock();
  const seen = [];
  const auth = new RefreshCoordinator({
    clock,
    params: { scope: "a b", tenant: "acme" },
    refresh: ({ params }) => (seen.push({ ...params }), { access_token: "A", expires_in: 300 }),
  });
  t.after(() => auth.close());
  await auth.setTokens({ refresh_token: "R0" });
  await auth.getTokens();
  await auth.getTokens({ params: { scope: "a" } });
  await auth.getTokens({ params: { resource: ["https://one.invalid", "https://two.invalid"] } });
  assert.deepEqual(seen, [
    { scope: "a b", tenant: "acme" },
    { scope: "a", tenant: "acme" },
    { resource: ["https://one.invalid", "https://two.invalid"], scope: "a b", tenant: "acme" },
  ]);
  assert.equal(auth.getTokens({ params: { scope: "a b" } }), auth.getTokens({ params: { tenant: "acme" } }), "what changes nothing is nothing");
});

test("wrong parameters are named, and reach no server", async (t) => {
  const { server, auth, expire } = await scene(t);
  expire();
  for (const [params, name] of [
    [{ grant_type: "password" }, "grant_type"],
    [{ refresh_token: "R" }, "refresh_token"],
    [{ client_id: "x" }, "client_id"],
    [{ scope: 5 }, "scope"],
    [5, "params"],
    [JSON.parse('{"__proto__":"x"}'), "__proto__"],
  ]) {
    for (const call of [() => auth.getTokens({ params }), () => auth.getAccessToken({ params }), () => auth.refresh({ params })]) {
      const error = await rejects(new Promise((resolve) => resolve(call())), "ConfigurationError", { fault: "caller" });
      assert.ok(error.message.includes(name), error.message);
    }
  }
  assert.equal(server.oracle.presentations, 0);
});

test("a scope beyond the grant is a configuration error, and the session lives", async (t) => {
  const { server, auth, clock, expire } = await scene(t, { retries: 0 });
  expire();
  const error = await rejection(auth.getTokens({ params: { scope: "openid admin" } }));
  assert.equal(error.name, "ConfigurationError");
  assert.equal(error.oauthError, "invalid_scope");
  clock.advance(5_000);
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
});

test("in successor mode too", async (t) => {
  const { server, auth, tokens, expire } = await scene(t);
  expire();
  const R0 = { refreshToken: tokens.refresh_token };
  const [wide, small] = await Promise.all([auth.renew(R0), auth.renew(R0, { params: { scope: "openid" } })]);
  assert.equal(wide.scope, "openid offline_access");
  assert.equal(small.scope, "openid");
  assert.equal(server.oracle.counts().reuses, 0);
  assert.equal(server.oracle.presentations, 2);
});
