// `close` and `Symbol.dispose`: new calls reject, what was sent still commits, and the process may end.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { memoryStore } from "refresh-coordinator";

import { unavailable } from "../authorization-server/faults.mjs";
import { Clock } from "./clock.mjs";
import { assertError, rejection } from "./errors.mjs";
import { coordinator, scene } from "./scene.mjs";

test("after `close` every member that would have to work rejects, and none throws", async (t) => {
  const { auth, tokens, server } = await scene(t, { origins: ["https://api.example"] });
  auth.close();
  auth.close();
  const calls = {
    getTokens: () => auth.getTokens(),
    getAccessToken: () => auth.getAccessToken(),
    refresh: () => auth.refresh(),
    renew: () => auth.renew({ refreshToken: tokens.refresh_token }),
    setTokens: () => auth.setTokens(tokens),
    signOut: () => auth.signOut(),
    drainRevocations: () => auth.drainRevocations(),
    run: () => auth.run(() => 5),
    fetch: () => auth.fetch("https://api.example/"),
  };
  for (const call of Object.values(calls)) {
    assertError(await rejection(call()), "ConfigurationError", { code: "closed", fault: "caller" });
  }
  assert.equal(auth.getSnapshot().status, "active", "a sign-out that was refused signs nobody out");
  assert.equal(typeof auth.stats().joins, "number");
  assert.equal(typeof auth.subscribe(() => {}), "function");
  assert.equal(server.oracle.presentations, 0);
});

test("an exchange already sent still commits, and its callers get their tokens", async (t) => {
  const store = memoryStore();
  const { server, clock, auth, expire, counts } = await scene(t, { store });
  const held = server.holdReply();
  expire();
  const caller = auth.getTokens();
  await held.arrived;
  auth.close();
  held.release();
  const renewed = await caller;
  const successor = coordinator(t, server, { clock, store });
  assert.equal(await successor.getAccessToken(), renewed.accessToken);
  assert.equal(counts().rotations, 1);
  assert.equal(server.oracle.presentations, 1);
});

test("a refresh that waits to try again is not sent after `close`", async (t) => {
  const { server, clock, auth, expire } = await scene(t);
  server.next(Infinity, unavailable());
  expire();
  const caller = auth.getTokens();
  // The pause before the second attempt.
  await clock.asleep((ms) => ms <= 2_000);
  auth.close();
  assertError(await rejection(caller), "TransientError", { status: 503 });
  clock.advance(60_000);
  assert.equal(server.oracle.presentations, 1);
});

test("who waits for another's refresh hears of `close` at once", async (t) => {
  const clock = new Clock();
  const store = memoryStore();
  const { server, auth, expire } = await scene(t, { clock, store });
  const other = coordinator(t, server, { clock, store });
  const held = server.holdReply();
  expire();
  const winner = auth.getTokens();
  await held.arrived;
  const loser = other.getTokens();
  other.close();
  assertError(await rejection(loser), "ConfigurationError", { code: "closed" });
  held.release();
  await winner;
});

test("Symbol.dispose closes", async (t) => {
  const { auth } = await scene(t);
  const dispose = Symbol.dispose ?? Symbol.for("nodejs.dispose");
  assert.equal(typeof auth[dispose], "function");
  auth[dispose]();
  assertError(await rejection(auth.getTokens()), "ConfigurationError", { code: "closed" });
});

test("closed before it was ever used", async (t) => {
  const { server } = await scene(t);
  coordinator(t, server).close();
});

for (const script of ["idle", "never-closed", "refused-in-the-background"]) {
  test(`a process ends by itself, without a warning: ${script}`, async () => {
    const path = fileURLToPath(new URL(`./processes/${script}.mjs`, import.meta.url));
    const child = spawn(process.execPath, ["--unhandled-rejections=strict", path], { stdio: ["ignore", "pipe", "pipe"] });
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (err += text));
    const [code] = await once(child, "close");
    assert.equal(err, "");
    assert.equal(code, 0);
    assert.equal(out, "done\n");
  });
}
