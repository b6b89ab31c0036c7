// Each reply of a server means one thing an application can do, and that is its class; by import and by require.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import test from "node:test";

import * as imported from "refresh-coordinator";

import * as faults from "../authorization-server/faults.mjs";
import { CLIENT_SECRET, CONFIDENTIAL_CLIENT } from "../authorization-server/provider.mjs";
import { Clock } from "./clock.mjs";
import { assertError, rejects } from "./errors.mjs";
import { LIFETIME, authorizationServer, coordinator, scene, times } from "./scene.mjs";

const require = createRequire(import.meta.url);
/** What `require` finds on a Node that cannot require ECMAScript modules. */
const commonJs = require("../../pkg/index.cjs");
const ways = { import: imported, require: require("refresh-coordinator"), "require of CommonJS": commonJs };

const cases = {
  "503": {
    fault: faults.unavailable(),
    error: ["TransientError", { status: 503, fault: "server", spent: "maybe", oauthError: undefined }],
    retryWithin: 60_000,
  },
  "503 with Retry-After in seconds": {
    fault: faults.unavailable({ "retry-after": "17" }),
    error: ["TransientError", { status: 503 }],
    retryAfter: 17_000,
  },
  "500 with HTML": {
    fault: faults.answer(500, "<html>oops</html>", { "content-type": "text/html" }),
    error: ["TransientError", { status: 500, spent: "maybe" }],
    retryWithin: 60_000,
  },
  "429 with Retry-After": {
    fault: faults.tooManyRequests(42),
    error: ["TransientError", { status: 429, fault: "server", spent: "no" }],
    retryAfter: 42_000,
  },
  "429 with a Retry-After of a day, which is clamped": {
    fault: faults.tooManyRequests(86_400),
    error: ["TransientError", { status: 429 }],
    retryAfter: 300_000,
  },
  "429 with a Retry-After that makes no sense": {
    fault: faults.tooManyRequests("soon"),
    error: ["TransientError", { status: 429 }],
    retryWithin: 60_000,
  },
  "a connection that breaks": {
    fault: faults.dropBefore(),
    error: ["TransientError", { fault: "network", spent: "maybe", status: undefined, oauthError: undefined }],
    retryWithin: 60_000,
  },
  "a bare 401 to a public client": {
    fault: faults.answer(401, ""),
    error: ["RevokedError", { status: 401, fault: "server", reason: "unknown" }],
  },
  "400 invalid_grant": {
    fault: faults.oauthError("invalid_grant"),
    error: ["RevokedError", { status: 400, oauthError: "invalid_grant", fault: "server", spent: "yes", reason: "unknown" }],
  },
  "403 invalid_grant": {
    fault: faults.oauthError("invalid_grant", 403),
    error: ["RevokedError", { status: 403, oauthError: "invalid_grant" }],
  },
  "400 invalid_client": {
    fault: faults.oauthError("invalid_client"),
    error: ["ConfigurationError", { status: 400, oauthError: "invalid_client", spent: "no" }],
  },
  "401 invalid_client": {
    fault: faults.oauthError("invalid_client", 401),
    error: ["ConfigurationError", { status: 401, oauthError: "invalid_client", spent: "no" }],
  },
  "400 invalid_scope": {
    fault: faults.oauthError("invalid_scope"),
    error: ["ConfigurationError", { status: 400, oauthError: "invalid_scope", spent: "no" }],
  },
  "400 interaction_required": {
    fault: faults.oauthError("interaction_required"),
    error: ["InteractionRequiredError", { status: 400, oauthError: "interaction_required", fault: "server", spent: "no" }],
  },
  "404": {
    fault: faults.answer(404, "not found"),
    error: ["ConfigurationError", { status: 404 }],
  },
  "418, of which nobody knows what it means": {
    fault: faults.answer(418, "short and stout"),
    error: ["TransientError", { status: 418, spent: "maybe" }],
    retryWithin: 60_000,
  },
};

for (const [way, from] of Object.entries(ways)) {
  for (const [name, { fault, error: [className, fields], retryAfter, retryWithin }] of Object.entries(cases)) {
    test(`IM-C11 N-14 N-16: ${name}, by ${way}`, async (t) => {
      const { server, clock, auth, expire } = await scene(t, { from, retries: 0 });
      expire();
      server.next(1, fault);
      const error = await rejects(auth.getAccessToken(), className, fields, from);
      if (retryAfter !== undefined) assert.equal(error.retryAt, clock.now() + retryAfter);
      else if (retryWithin !== undefined) {
        assert.ok(error.retryAt > clock.now() && error.retryAt <= clock.now() + retryWithin, `in ${error.retryAt - clock.now()} ms`);
      } else assert.equal(error.retryAt, undefined);
      assert.equal(server.oracle.presentations, 1);

      if (className === "RevokedError") {
        await rejects(auth.getAccessToken(), "RevokedError", { reason: fields.reason ?? "unknown" }, from);
        assert.equal(server.oracle.presentations, 1, "a session that is over is not asked about again");
        assert.equal(auth.getSnapshot().status, "revoked");
        return;
      }
      // The credentials were kept, and callers in a loop do not reach the server.
      for (let call = 0; call < 20; call += 1) await rejects(auth.getAccessToken(), className, {}, from);
      assert.equal(server.oracle.presentations, 1, "there is a cool-down");
      clock.advance(Math.max(5_000, (error.retryAt ?? 0) - clock.now()));
      assert.equal(await server.isActive(await auth.getAccessToken()), true);
      assert.equal(server.oracle.counts().reuses, 0);
    });
  }

  test(`a timeout, by ${way}`, async (t) => {
    const { server, clock, auth, expire } = await scene(t, { from, retries: 0, timeout: 4_321 });
    const held = server.holdRequest();
    expire();
    const caller = auth.getAccessToken();
    await held.arrived;
    await clock.asleep(4_321);
    clock.advance(4_321);
    const fields = { code: "timeout", fault: "network", spent: "maybe", status: undefined };
    const error = await rejects(caller, "TransientError", fields, from);
    assert.ok(error.retryAt > clock.now());
  });

  test(`wrong options, by ${way}`, () => {
    assert.throws(() => new from.RefreshCoordinator({}), (error) => {
      assertError(error, "ConfigurationError", { fault: "caller", spent: "no" }, from);
      return true;
    });
  });

  test(`nobody signed in, by ${way}`, async (t) => {
    const { auth } = await scene(t, { from });
    await auth.signOut();
    await rejects(auth.getAccessToken(), "NoSessionError", { fault: "caller", spent: "no" }, from);
  });

  test(`an error can be told without its class: name, code and toString say what it is, by ${way}`, async (t) => {
    const { server, auth, expire } = await scene(t, { from, retries: 0 });
    expire();
    server.next(1, faults.unavailable());
    const error = await rejects(auth.getAccessToken(), "TransientError", {}, from);
    assert.match(String(error), /^TransientError: /);
    assert.match(error.stack, /TransientError/);
    assert.equal(Object.prototype.toString.call(error), "[object Error]");
    assert.ok(structuredClone(error) instanceof Error);
  });
}

test("a bare 401 to a client with a secret is about the client, not the session", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const { tokens } = await server.signIn({ clientId: CONFIDENTIAL_CLIENT });
  const client = { clientId: CONFIDENTIAL_CLIENT, clientSecret: CLIENT_SECRET };
  const auth = coordinator(t, server, { ...client, clock, retries: 0 });
  await auth.setTokens(tokens);
  clock.advance(LIFETIME);
  server.next(1, faults.answer(401, ""));
  await rejects(auth.getAccessToken(), "ConfigurationError", { status: 401 });
  clock.advance(5_000);
  assert.equal(await server.isActive(await auth.getAccessToken()), true);
});

test("Retry-After as a date", async (t) => {
  const { server, clock, auth, expire } = await scene(t, { retries: 0 });
  expire();
  const date = (ahead) => new Date(clock.now() + ahead).toUTCString();
  server.next(1, faults.unavailable({ date: date(0), "retry-after": date(20_000) }));
  const { retryAt } = await rejects(auth.getAccessToken(), "TransientError");
  assert.equal(retryAt, clock.now() + 20_000);
});

test("one 503, and then health: nobody notices", async (t) => {
  const { server, clock, auth, expire, counts } = await scene(t);
  clock.skips = 2_000;
  expire();
  server.next(1, faults.unavailable());
  const tokens = await Promise.all(times(100, () => auth.getAccessToken()));
  assert.equal(new Set(tokens).size, 1);
  assert.equal(server.oracle.presentations, 2);
  assert.equal(counts().rotations, 1);
});

test("`retries` bounds the requests of one flight", async (t) => {
  for (const retries of [0, 1, 3]) {
    const { server, clock, auth, expire } = await scene(t, { retries });
    clock.skips = 2_000;
    expire();
    // Too many requests spend nothing, so each may be repeated.
    server.next(10, faults.answer(429, "", { "retry-after": "1" }));
    await rejects(auth.getAccessToken(), "TransientError", { status: 429 });
    assert.equal(server.oracle.presentations, 1 + retries);
  }
});

test("a Retry-After that is too long to wait for is handed on at once", async (t) => {
  const { server, auth, expire } = await scene(t, { retries: 5 });
  expire();
  server.next(1, faults.tooManyRequests(30));
  await rejects(auth.getAccessToken(), "TransientError", { status: 429 });
  assert.equal(server.oracle.presentations, 1);
});

test("the still valid token is served while the server is away", async (t) => {
  const { server, clock, auth, before } = await scene(t, { retries: 0 });
  clock.advance(299_000);
  server.next(100, faults.unavailable());
  for (let call = 0; call < 20; call += 1) assert.equal(await auth.getAccessToken(), before.accessToken);
  assert.ok(server.oracle.presentations <= 1);
  assert.equal(auth.getSnapshot().status, "active");
});

test("a timer that ends a little early costs no attempt", async (t) => {
  class Hasty extends Clock {
    sleep(ms, signal) {
      return super.sleep(Math.max(1, ms - 1), signal);
    }
  }
  const { server, clock, auth, expire } = await scene(t, { clock: new Hasty() });
  server.next(2, faults.unavailable({ "retry-after": "1" }));
  expire();
  let settled = false;
  const caller = auth.getAccessToken().finally(() => (settled = true));
  while (!settled) {
    await new Promise(setImmediate);
    clock.advance(1);
  }
  assert.equal(await server.isActive(await caller), true);
  assert.equal(server.oracle.presentations, 3);
});
