// The channels of `node:diagnostics_channel`: every event of every coordinator of the process, and what is only counted.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import diagnostics from "node:diagnostics_channel";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import * as faults from "../authorization-server/faults.mjs";
import { Clock } from "./clock.mjs";
import { refreshInEachCopy } from "./copies.mjs";
import { rejection } from "./errors.mjs";
import { authorizationServer, coordinator, LIFETIME, scene, times } from "./scene.mjs";
import { assertNoSecrets } from "./secrets.mjs";
import { TestStore } from "./store.mjs";

const EVENTS = [
  "refreshed", "adopted", "waiting", "taken-over", "transient", "revoked", "signed-in", "signed-out", "store-failed",
  "degraded", "revocation-failed",
];

const settled = () => new Promise(setImmediate);

/** Listens to these channels until the test is over. */
function overhear(t, types = [...EVENTS, "presented", "joined"], hear = () => {}) {
  const published = [];
  for (const type of types) {
    const name = `refresh-coordinator:${type}`;
    const listener = (message, channel) => {
      assert.equal(channel, name);
      published.push(message);
      hear(message);
    };
    diagnostics.subscribe(name, listener);
    t.after(() => diagnostics.unsubscribe(name, listener));
  }
  return { published, of: (type) => published.filter((message) => message.type === type) };
}

test("a whole life: each event is on the channel of its name, and nothing published holds a token or a name", async (t) => {
  const { published, of } = overhear(t);
  const server = await authorizationServer(t);
  const clock = new Clock();
  const store = new TestStore(clock);
  const revocationEndpoint = server.revocationEndpoint;
  const auth = coordinator(t, server, { clock, store, retries: 0, session: "ada@example.com", revocationEndpoint });
  const told = [];
  auth.subscribe((event) => event && told.push(event));
  const { tokens } = await server.signIn();
  await auth.setTokens(tokens);
  clock.advance(LIFETIME);
  await Promise.all(times(5, () => auth.getTokens()));
  clock.advance(LIFETIME);
  server.next(1, faults.unavailable());
  await rejection(auth.getTokens());
  clock.advance(2_000);
  await auth.getTokens();
  clock.advance(LIFETIME);
  const held = server.holdReply();
  const caller = auth.getTokens();
  await held.arrived;
  store.instead.write = () => {
    throw new Error(`could not write for ada@example.com ${tokens.refresh_token}`);
  };
  held.release();
  await caller;
  const rest = await clock.asleep((ms) => ms <= 4_000);
  store.instead = {};
  clock.advance(rest);
  await settled();
  await auth.signOut();
  await auth.setTokens((await server.signIn()).tokens);
  clock.advance(LIFETIME);
  server.next(1, faults.oauthError("invalid_grant"));
  await rejection(auth.getTokens());
  await settled();

  const events = published.filter(({ type }) => EVENTS.includes(type));
  assert.ok(told.length > 0 && events.every((event, index) => event === told[index]), "the very objects that its own listeners have");
  assert.equal(events.length, told.length);
  const types = new Set(events.map(({ type }) => type));
  for (const type of ["refreshed", "transient", "store-failed", "signed-in", "signed-out", "revoked"]) assert.ok(types.has(type), type);
  assert.equal(of("joined").length, 4);
  assert.deepEqual(
    of("presented").map(({ verdict }) => verdict),
    ["granted", "transient", "granted", "granted", "revoked"],
  );
  for (const message of of("presented")) {
    assert.deepEqual(Object.keys(message).sort(), ["duration", "startTime", "type", "verdict"]);
    assert.ok(message.duration > 0 && message.startTime + message.duration <= performance.now());
  }
  assert.equal(of("presented").length, server.oracle.presentations);
  for (const message of published) assert.ok(Object.isFrozen(message));
  assertNoSecrets(published, [...server.oracle.issued, "ada@example.com", tokens.refresh_token]);
});

test("adoptions, waits and take-overs", async (t) => {
  const { of } = overhear(t);
  const clock = new Clock();
  const store = new TestStore(clock);
  const { server, auth, expire } = await scene(t, { clock, store });
  const other = coordinator(t, server, { clock, store, lockWait: 60_000 });
  const held = server.holdReply();
  expire();
  const winner = auth.getTokens();
  await held.arrived;
  const loser = other.getTokens();
  await clock.asleep((ms) => ms > 12_000 && ms <= 15_000);
  held.release();
  await Promise.all([winner, loser]);
  await settled();
  assert.deepEqual([of("waiting").length, of("adopted").length, of("refreshed").length], [1, 1, 1]);
  assert.equal(other.stats().adoptions, 1);
});

test("calls that join a refresh are counted as the core counts them, in both modes", async (t) => {
  const { of } = overhear(t, ["joined"]);
  const { auth, tokens, expire, clock } = await scene(t);
  expire();
  const carried = { ...tokens, expires_at: clock.now() - 1 };
  await Promise.all([
    ...times(3, () => auth.getTokens()),
    ...times(3, () => auth.getAccessToken()),
    ...times(3, () => auth.getTokens({ signal: new AbortController().signal })),
    ...times(2, () => auth.refresh({ mintedAfterNow: true })),
  ]);
  await Promise.all(times(4, () => auth.renew(carried))).catch(() => {});
  await settled();
  assert.equal(of("joined").length, auth.stats().joins);
  assert.equal(of("joined").length, 8 + 1 + 3);
});

test("while nobody listens nothing is published, and no message is made", async (t) => {
  const published = [];
  for (const type of [...EVENTS, "presented", "joined"]) {
    const channel = diagnostics.channel(`refresh-coordinator:${type}`);
    assert.equal(channel.hasSubscribers, false);
    channel.publish = (message) => void published.push(message);
    // It is inherited, and from another prototype as soon as somebody subscribes.
    t.after(() => delete channel.publish);
  }
  const made = [];
  const { freeze } = Object;
  t.mock.method(Object, "freeze", (object) => (made.push(object), freeze(object)));
  const { auth, expire } = await scene(t);
  expire();
  await Promise.all(times(3, () => auth.getTokens()));
  await settled();
  assert.deepEqual(published, []);
  assert.ok(made.length > 0, "token sets are frozen");
  assert.ok(!made.some(({ type }) => type === "presented" || type === "joined"));
});

test("nothing is published before what was granted is durable, nor inside of a call", async (t) => {
  const clock = new Clock();
  const store = new TestStore(clock);
  const { auth, server, expire } = await scene(t, { clock, store });
  const heard = [];
  let calling = false;
  overhear(t, ["presented", "joined", "refreshed"], ({ type }) => {
    assert.equal(calling, false);
    // A subscriber may call whatever it likes.
    heard.push([type, auth.stats().presentations, Object.values(store.contents)[0]]);
    if (type !== "joined") auth.getTokens().catch(() => {});
  });
  const before = Object.values(store.contents)[0];
  expire();
  const held = server.holdReply();
  calling = true;
  const calls = [auth.getTokens(), auth.getTokens()];
  calling = false;
  await held.arrived;
  assert.deepEqual(heard.map(([type]) => type).filter((type) => type !== "joined"), []);
  const claimed = Object.values(store.contents)[0];
  held.release();
  await Promise.all(calls);
  await settled();
  const told = heard.filter(([type]) => type !== "joined");
  assert.deepEqual(told.map(([type]) => type), ["presented", "refreshed"]);
  for (const [, , record] of told) assert.ok(record !== before && record !== claimed);
});

test("all copies of the package in a process share the channels", async (t) => {
  const { of } = overhear(t, ["presented", "refreshed"]);
  await refreshInEachCopy(t);
  await settled();
  assert.deepEqual([of("presented").length, of("refreshed").length], [3, 3]);
});

for (const [host, published] of [["an older node", "signed-in presented refreshed"], ["without the module", ""], ["a module for show", ""]]) {
  test(`a process of a host as it may be: ${host}`, async () => {
    const path = fileURLToPath(new URL("./processes/an-older-node.mjs", import.meta.url));
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [path, host]);
    assert.equal(stderr, "");
    assert.equal(stdout, `${published}\n`);
  });
}
