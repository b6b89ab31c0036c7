// When a token counts as fresh. The lifetimes are at most 100 s long, where the default window is a tenth of the lifetime.

import assert from "node:assert/strict";
import test from "node:test";

import { rejects } from "../node/errors.mjs";
import { scene } from "../node/scene.mjs";

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** An access token that says itself how long it lives, in seconds from now. */
function jwt(clock, { life, age = 0, jti = "" }) {
  const iat = Math.floor(clock.now() / 1000) - age;
  return `${part({ alg: "none" })}.${part({ iat, exp: iat + life, jti })}.signature`;
}

/** Signed in with an access token of its own making; `served()` tells whether it is handed out without a request. */
async function holding(t, { token, options = {}, ...members }) {
  const { server, clock, auth, tokens } = await scene(t, options);
  const accessToken = typeof token === "object" ? jwt(clock, token) : token;
  await auth.setTokens({ refresh_token: (await server.signIn()).tokens.refresh_token, access_token: accessToken, ...members });
  const served = async () => {
    const given = await auth.getAccessToken();
    const asked = server.oracle.presentations;
    assert.equal(given === accessToken, asked === 0);
    if (asked > 0) assert.equal(await server.isActive(given), true);
    return asked === 0;
  };
  return { server, clock, auth, tokens, served };
}

const windowless = { mandatoryWindow: 0, advisoryWindow: 0 };

test("MM-30 MM-34 MM-39 MM-42 MM-46 MM-49 IM-C2: well within its life it is returned, and nobody is asked", async (t) => {
  for (const elapsed of [0, 30_000]) {
    for (const token of [{ life: 100 }, "opaque"]) {
      const { clock, served } = await holding(t, { token, ...(token === "opaque" && { expires_in: 100 }) });
      clock.advance(elapsed);
      assert.equal(await served(), true);
    }
  }
});

test("MM-32 MM-33 MM-40 MM-41 MM-47 MM-48 IM-C3: with a tenth of its life left, or none, it is refreshed", async (t) => {
  for (const elapsed of [90_010, 95_000, 100_000, 200_000]) {
    for (const token of [{ life: 100 }, "opaque"]) {
      const { clock, served } = await holding(t, { token, ...(token === "opaque" && { expires_in: 100 }) });
      clock.advance(elapsed);
      assert.equal(await served(), false, `${elapsed} ms`);
    }
  }
});

test("MM-35 MM-36 MM-37 MM-38: without windows the end decides, and nothing else", async (t) => {
  for (const [elapsed, fresh] of [[7_200_000, false], [7_199_999, true], [7_201_000, false], [0, true]]) {
    const { clock, served } = await holding(t, { token: { life: 7_200 }, options: windowless });
    clock.advance(elapsed);
    assert.equal(await served(), fresh, `${elapsed} ms`);
  }
});

test("MM-43: issued and expired in the same second, an hour ago: stale", async (t) => {
  const { served } = await holding(t, { token: { life: 0, age: 3_600 } });
  assert.equal(await served(), false);
});

test("MM-44 MM-50 MM-79 MM-02: nobody signed in: nothing counts as fresh, and nobody is asked", async (t) => {
  const { auth, server } = await scene(t);
  await auth.signOut();
  for (const ask of [auth.getTokens, auth.getAccessToken, auth.refresh]) await rejects(ask(), "NoSessionError");
  assert.equal(server.oracle.presentations, 0);
});

test("MM-45 MM-52: a lifetime that cannot be read is what the option says, and over at once if the option says so", async (t) => {
  const unreadable = ["opaque", "a.b.c", `${part({})}.${part({ exp: "soon" })}.s`, `${part({})}.${Buffer.from("[").toString("base64url")}.s`];
  for (const token of unreadable) {
    const trusting = await holding(t, { token });
    assert.equal(await trusting.served(), true);
    const strict = await holding(t, { token, options: { unknownLifetime: 1 } });
    strict.clock.advance(1);
    assert.equal(await strict.served(), false);
  }
});

test("MM-51: a session without an access token gets one when it is asked for", async (t) => {
  const { server, served } = await holding(t, { token: undefined });
  assert.equal(await served(), false);
  assert.equal(server.oracle.presentations, 1);
});

test("MM-53 MM-54 MM-55 MM-56 MM-57 MM-58 MM-59: of two access tokens beside one refresh token the one that ends later is kept; in doubt the stored one", async (t) => {
  const [early, late, later] = [{ life: 600 }, { life: 900 }, { life: 901 }];
  const cases = [
    ["53", early, late, "incoming"],
    ["54", late, early, "stored"],
    ["55", { ...late, jti: "one" }, { ...late, jti: "two" }, "stored"],
    ["56", late, "opaque", "stored"],
    ["57", "opaque", late, "incoming"],
    ["58", "opaque", "opaque too", "stored"],
    ["59", late, later, "incoming"],
    ["59", later, late, "stored"],
  ];
  for (const [id, first, second, kept] of cases) {
    const { clock, auth, tokens } = await scene(t);
    const [stored, incoming] = [first, second].map((token) => (typeof token === "string" ? token : jwt(clock, token)));
    const refresh_token = `${tokens.refresh_token}-of-another-session`;
    await auth.setTokens({ access_token: stored, refresh_token });
    await auth.setTokens({ access_token: incoming, refresh_token });
    assert.equal(await auth.getAccessToken(), { stored, incoming }[kept], `MM-${id}`);
  }
});

test("MM-61 IM-C1: looking at the snapshot asks nobody, however stale the token is", async (t) => {
  const { server, clock, auth } = await scene(t);
  const { status, error, expiresAt } = auth.getSnapshot();
  assert.deepEqual([status, error], ["active", undefined]);
  clock.advance(1_000_000);
  assert.equal(auth.getSnapshot().expiresAt, expiresAt);
  auth.stats();
  await new Promise(setImmediate);
  assert.equal(server.oracle.presentations, 0);
});

test("IM-C4 IM-C10: a window of 60 s: with 59 s left it is refreshed, with 10 min left it is not", async (t) => {
  for (const [left, fresh] of [[59_000, false], [600_000, true]]) {
    const options = { mandatoryWindow: 60_000, advisoryWindow: 60_000 };
    const { clock, served } = await holding(t, { token: "opaque", expires_in: 3_600, options });
    clock.advance(3_600_000 - left);
    assert.equal(await served(), fresh, `${left} ms`);
  }
});

test("MM-77 MM-81: the access token is the current one, and refreshed first if it must be", async (t) => {
  const { server, auth, before, expire } = await scene(t);
  assert.equal(await auth.getAccessToken(), before.accessToken);
  expire();
  const token = await auth.getAccessToken();
  assert.notEqual(token, before.accessToken);
  assert.equal(await server.isActive(token), true);
});
