// The user's `classify`: it sees refusals only, its word counts, and its mistakes do not.

import assert from "node:assert/strict";
import test from "node:test";

import { answer, oauthError, unavailable } from "../authorization-server/faults.mjs";
import { failing, honest, silent } from "./callbacks-of-any-shape.mjs";
import { rejects } from "./errors.mjs";
import { scene } from "./scene.mjs";

async function refused(t, fault, classify) {
  const all = await scene(t, { retries: 0, classify });
  all.expire();
  all.server.next(1, fault);
  return all;
}

test("it is not asked about a success", async (t) => {
  let calls = 0;
  const { server, auth, expire } = await scene(t, { classify: () => void (calls += 1) });
  expire();
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
  assert.equal(calls, 0);
});

test("it sees what the server said, and never the token", async (t) => {
  const seen = [];
  const { auth, tokens } = await refused(t, oauthError("invalid_grant", 400, { hint: "session ended" }), (refusal) => void seen.push(refusal));
  await rejects(auth.getAccessToken(), "RevokedError");
  assert.equal(seen.length, 1);
  assert.equal(seen[0].class, "revoked");
  assert.equal(seen[0].spent, "yes");
  assert.equal(seen[0].status, 400);
  assert.equal(seen[0].error, "invalid_grant");
  assert.ok(!JSON.stringify(seen).includes(tokens.refresh_token));
});

for (const [name, wrap] of Object.entries(honest)) {
  test(`"revoked" becomes "transient", said as ${name}`, async (t) => {
    const { server, clock, auth } = await refused(t, oauthError("invalid_grant"), () => wrap({ class: "transient", spent: "no" }));
    const { retryAt } = await rejects(auth.getAccessToken(), "TransientError", { oauthError: "invalid_grant", spent: "no" });
    clock.advance(retryAt - clock.now());
    assert.equal(await server.isActive(await auth.getAccessToken()), true);
  });
}

test("each class by its name alone", async (t) => {
  for (const [word, name] of [["revoked", "RevokedError"], ["interaction", "InteractionRequiredError"], ["configuration", "ConfigurationError"]]) {
    const { auth } = await refused(t, unavailable(), () => word);
    await rejects(auth.getAccessToken(), name, { status: 503 });
  }
  const { auth } = await refused(t, answer(404, ""), () => "transient");
  await rejects(auth.getAccessToken(), "TransientError", { status: 404 });
});

test("a reason of its own", async (t) => {
  const { auth } = await refused(t, oauthError("invalid_grant"), () => ({ class: "revoked", reason: "idle" }));
  await rejects(auth.getAccessToken(), "RevokedError", { reason: "idle" });
});

for (const value of [5, "nonsense", true, [], {}, { class: "nonsense" }, { spent: 5 }, { retryAfter: "later" }]) {
  test(`an answer that is none: ${JSON.stringify(value)}: the judgement stands`, async (t) => {
    const { auth } = await refused(t, oauthError("invalid_client"), () => value);
    await rejects(auth.getAccessToken(), "ConfigurationError", { oauthError: "invalid_client" });
  });
}

for (const [name, fail] of Object.entries(failing)) {
  test(`it ${name}: the judgement stands`, async (t) => {
    const { auth } = await refused(t, oauthError("invalid_client"), fail);
    await rejects(auth.getAccessToken(), "ConfigurationError", { oauthError: "invalid_client" });
  });
}

for (const [name, hang] of Object.entries(silent)) {
  test(`it ${name}: the judgement stands, in bounded time`, async (t) => {
    const { clock, auth } = await refused(t, oauthError("invalid_client"), hang);
    const caller = auth.getAccessToken();
    // Its limit is shorter than any other wait.
    const limit = await clock.asleep((ms) => ms > 0 && ms <= 5_000);
    clock.advance(limit);
    await rejects(caller, "ConfigurationError", { oauthError: "invalid_client" });
  });
}
