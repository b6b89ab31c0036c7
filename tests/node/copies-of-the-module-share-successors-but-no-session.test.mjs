// One process often holds several copies of a package: by import and by require, or bundled twice.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import test from "node:test";

import * as imported from "refresh-coordinator";

import { Clock } from "./clock.mjs";
import { commonJs, copies } from "./copies.mjs";
import { assertError, rejection } from "./errors.mjs";
import { LIFETIME, authorizationServer, coordinator, times } from "./scene.mjs";

const require = createRequire(import.meta.url);

test("`import` and `require` of one installation are one copy, where Node can do that", () => {
  const required = require("refresh-coordinator");
  const shared = process.features.require_module ?? false;
  assert.equal(required.RefreshCoordinator === imported.RefreshCoordinator, shared);
  assert.deepEqual(Object.keys(required).sort(), Object.keys(imported).sort());
  assert.deepEqual(Object.keys(commonJs).sort(), Object.keys(imported).sort());
});

test("IM-04 N-02: given one store: one rotation, one promise per coordinator", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const { tokens, session } = await server.signIn();
  const store = imported.memoryStore();
  const all = (await copies(t)).map((from) => coordinator(t, server, { from, clock, store }));
  await all[0].setTokens(tokens);
  clock.advance(LIFETIME);
  const calls = all.map((auth) => times(500, () => auth.getAccessToken()));
  for (const promises of calls) assert.equal(new Set(promises).size, 1);
  assert.equal(new Set(await Promise.all(calls.flat())).size, 1);
  assert.equal(server.oracle.counts(session).rotations, 1);
  assert.equal(server.oracle.presentations, 1);
});

test("IM-04: without a store: those who carry the same tokens get one successor", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const { tokens, session } = await server.signIn();
  const all = (await copies(t)).map((from) => coordinator(t, server, { from, clock }));
  const successors = await Promise.all(all.flatMap((auth) => times(100, () => auth.renew({ refresh_token: tokens.refresh_token }))));
  assert.equal(new Set(successors.map(({ refreshToken }) => refreshToken)).size, 1);
  assert.equal(server.oracle.counts(session).rotations, 1);
  assert.equal(server.oracle.presentations, 1);
});

test("without a store: a copy that comes later finds the successor too", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const { tokens } = await server.signIn();
  const [first, ...later] = (await copies(t)).map((from) => coordinator(t, server, { from, clock }));
  const { accessToken } = await first.renew({ refresh_token: tokens.refresh_token });
  for (const auth of later) {
    assert.equal((await auth.renew({ refresh_token: tokens.refresh_token })).accessToken, accessToken);
  }
  assert.equal(server.oracle.presentations, 1);
});

test("without a store: a session belongs to its coordinator", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const { tokens } = await server.signIn();
  const [first, ...others] = await copies(t);
  await coordinator(t, server, { from: first, clock }).setTokens(tokens);
  for (const from of others) {
    const error = await rejection(coordinator(t, server, { from, clock }).getAccessToken());
    assertError(error, "NoSessionError", {}, from);
  }
});

test("an error of one copy is an instance of the class of every other", async (t) => {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  const all = await copies(t);
  for (const from of all) {
    const error = await rejection(coordinator(t, server, { from, clock }).getAccessToken());
    for (const other of all) {
      assertError(error, "NoSessionError", {}, other);
      assert.equal(error instanceof other.TransientError, false);
    }
  }
});

test("an error of one copy, thrown by the custom refresh of another, stands", async (t) => {
  const clock = new Clock();
  const auth = new imported.RefreshCoordinator({
    clock,
    refresh: () => {
      throw new commonJs.InteractionRequiredError({ message: "the user must confirm", fault: "server", spent: "no" });
    },
  });
  t.after(() => auth.close());
  await auth.setTokens({ refreshToken: "R0", accessToken: "A0", expiresAt: clock.now() - 1 });
  assertError(await rejection(auth.getAccessToken()), "InteractionRequiredError");
});
