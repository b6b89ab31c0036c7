// Sign-ins, sign-outs and refreshes whose answer was lost: the page hears how they ended, or that nobody knows. Never are they done again.

import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";

import { connect, serve } from "refresh-coordinator/worker";

import { rejects } from "./errors.mjs";
import { becomes, channel, portOf, servedScene } from "./from-afar.mjs";

const LOST = { code: "worker-lost", fault: "host", spent: "maybe" };

/** A page, as far as this needs one: it can go to rest in the back/forward cache and come back. */
function resting(t) {
  const events = new EventTarget();
  for (const name of ["addEventListener", "removeEventListener"]) {
    const before = globalThis[name];
    globalThis[name] = events[name].bind(events);
    t.after(() => (globalThis[name] = before));
  }
  return (type) => events.dispatchEvent(Object.assign(new Event(type), { persisted: true }));
}

/** A page that makes itself a port whenever it needs one, and what was said at each of them. */
function remaking(t, serving) {
  const said = [];
  const page = connect(() => {
    const { near, far } = channel(t);
    far.addEventListener("message", ({ data }) => said.push(data));
    serving.accept(far);
    return near;
  });
  t.after(() => page.close());
  return { page, said };
}

/** Settled when the worker has heard all that was said at ports until now. */
async function allHeard(t, serving) {
  const port = portOf(t, serving);
  port.start();
  port.postMessage({ "refresh-coordinator": 1, name: "default", type: "ping", from: "test" });
  await once(port, "message");
}

for (const next of ["a sign-out", "another sign-in", "rotations"]) {
  test(`a page leaves in mid sign-in and comes back after ${next}: it is not signed in anew`, async (t) => {
    const event = resting(t);
    const { serving, auth, server } = await servedScene(t);
    const { page, said } = remaking(t, serving);
    await becomes(page, "active");
    const { tokens } = await server.signIn();
    const left = page.setTokens(tokens);
    event("pagehide");
    await rejects(left, "TransientError", LOST);
    await allHeard(t, serving);
    assert.equal((await auth.getTokens()).refreshToken, tokens.refresh_token, "the worker has done it");
    if (next === "a sign-out") await auth.signOut();
    if (next === "another sign-in") await auth.setTokens((await server.signIn()).tokens);
    if (next === "rotations") for (let time = 0; time < 10; time += 1) await auth.refresh();
    const before = await auth.getTokens().catch(({ name }) => name);
    event("pageshow");
    await page.getTokens().catch(() => {});
    assert.deepEqual(await auth.getTokens().catch(({ name }) => name), before);
    assert.equal(said.filter(({ member }) => member === "setTokens").length, 1);
  });
}

test("a page leaves in mid sign-out and comes back when somebody else is signed in: they stay so", async (t) => {
  const event = resting(t);
  const { serving, auth, server } = await servedScene(t);
  const { page } = remaking(t, serving);
  const left = page.signOut();
  event("pagehide");
  await rejects(left, "TransientError", LOST);
  await becomes(auth, "signed-out");
  const { tokens } = await server.signIn();
  await auth.setTokens(tokens);
  event("pageshow");
  assert.equal(await page.getAccessToken(), tokens.access_token);
});

test("a page leaves before there is a service worker: what it asked for then is not done when it is back", async (t) => {
  const event = resting(t);
  const container = Object.assign(new EventTarget(), { controller: null, ready: new Promise(() => {}), startMessages() {} });
  const page = connect(container);
  t.after(() => page.close());
  const left = page.setTokens({ refresh_token: "r" });
  event("pagehide");
  await rejects(left, "TransientError", LOST);
});

test("a page leaves in mid-refresh and comes back: it is told how that ended, and no other is made", async (t) => {
  const event = resting(t);
  const { serving, auth, server, counts } = await servedScene(t);
  const { page } = remaking(t, serving);
  const held = server.holdReply();
  const left = page.refresh({ mintedAfterNow: true });
  await held.arrived;
  event("pagehide");
  held.release();
  await auth.refresh();
  await allHeard(t, serving);
  event("pageshow");
  assert.equal((await left).accessToken, (await auth.getTokens()).accessToken);
  assert.equal(counts().rotations, 1);
});

const DONE_ONCE = {
  setTokens: (page) => page.setTokens({ refresh_token: "r", access_token: "a", expires_in: 3_600 }),
  signOut: (page) => page.signOut(),
  "refresh()": (page) => page.refresh(),
  "refresh({ mintedAfterNow })": (page, { before }) => page.refresh({ mintedAfterNow: true, rejected: before.accessToken }),
  renew: (page, { tokens }) => page.renew({ refreshToken: tokens.refresh_token }),
};
const ASKED_AGAIN = {
  getTokens: (page) => page.getTokens(),
  getAccessToken: (page) => page.getAccessToken(),
  "refresh({ rejected })": (page) => page.refresh({ rejected: "another one" }),
};

/** A worker that is gone as soon as it was asked, then one that knows nothing of it. */
async function afterDeath(t, ask) {
  const all = await servedScene(t);
  const { near, far } = channel(t);
  const ports = [near];
  const page = connect(() => ports.shift() ?? portOf(t, all.serving));
  t.after(() => page.close());
  const call = ask(page, all);
  far.start();
  for (;;) if ((await once(far, "message"))[0].type === "call") break;
  far.close();
  return { ...all, call };
}

for (const [name, ask] of Object.entries(DONE_ONCE)) {
  test(`${name}: the worker dies, and the next one is not asked to do it`, async (t) => {
    const { call, auth, before, server } = await afterDeath(t, ask);
    await rejects(call, "TransientError", LOST);
    assert.deepEqual(await auth.getTokens(), before);
    assert.equal(server.oracle.presentations, 0);
  });
}

for (const [name, ask] of Object.entries(ASKED_AGAIN)) {
  test(`${name}: the worker dies, and the next one is asked`, async (t) => {
    const { call, before } = await afterDeath(t, ask);
    const told = await call;
    assert.equal(told.accessToken ?? told, before.accessToken);
  });
}

test("a service worker that was stopped while idle answers two calls one after the other: the second is not made again", async (t) => {
  const { server, auth, serving: first, counts } = await servedScene(t);
  const container = Object.assign(new EventTarget(), { startMessages() {}, ready: new Promise(() => {}) });
  const said = [];
  let near;
  const worker = { state: "activated", postMessage: (message) => (said.push(message), near.postMessage(message)) };
  const says = ({ data }) => container.dispatchEvent(Object.assign(new Event("message"), { source: worker, data }));
  const life = (serving) => {
    near = portOf(t, serving);
    near.addEventListener("message", says);
    near.start();
  };
  life(first);
  container.controller = worker;
  const page = connect(container);
  t.after(() => page.close());
  await page.getTokens();
  first.close();
  const second = serve(auth);
  t.after(() => second.close());
  life(second);
  const [{ accessToken }] = await Promise.all([page.refresh({ mintedAfterNow: true }), page.getTokens()]);
  await allHeard(t, second);
  assert.equal(await server.isActive(accessToken), true);
  assert.equal(said.filter(({ member }) => member === "refresh").length, 1);
  assert.equal(counts().rotations, 1);
});

/** What is said and heard at a port, message for message. */
async function atPort(t) {
  const all = await servedScene(t);
  const port = portOf(t, all.serving);
  port.start();
  const ask = async (message) => {
    port.postMessage({ "refresh-coordinator": 1, name: "default", from: "p", ...message });
    const [{ outcome }] = await once(port, "message");
    return outcome.error?.code ?? outcome.value.accessToken;
  };
  const refresh = (id) => ({ type: "call", id, member: "refresh", args: [{ mintedAfterNow: true }] });
  const say = (message) => port.postMessage({ "refresh-coordinator": 1, name: "default", from: "p", ...message });
  return { ...all, ask, say, refresh };
}

test("a call that comes again after it was answered has the same answer, until the page has heard it", async (t) => {
  const { ask, say, refresh, counts } = await atPort(t);
  const told = await ask(refresh(1));
  assert.equal(await ask(refresh(1)), told);
  assert.equal(await ask({ type: "recall", id: 1 }), told);
  say({ type: "heard", id: 1 });
  assert.equal(await ask({ type: "recall", id: 1 }), "worker-lost");
  assert.equal(counts().rotations, 1);
});

test("a page acknowledges what it has heard, so that the worker keeps no tokens for it", async (t) => {
  const { serving } = await servedScene(t);
  const { page, said } = remaking(t, serving);
  await page.refresh();
  await page.getTokens();
  await allHeard(t, serving);
  assert.deepEqual(said.map(({ type, id }) => [type, id]).filter(([, id]) => id !== undefined), [["call", 1], ["heard", 1], ["call", 2]]);
});

test("a call that comes after the question what became of it is not made any more", async (t) => {
  const { ask, refresh, counts } = await atPort(t);
  assert.equal(await ask({ type: "recall", id: 1 }), "worker-lost");
  assert.equal(await ask(refresh(1)), "worker-lost");
  assert.equal(counts().rotations, 0);
});

test("a hundred outcomes are kept, of pages that never say what they have heard", async (t) => {
  const { ask } = await atPort(t);
  const wrong = (id) => ({ type: "call", id, member: "renew", args: [{}] });
  const told = await ask(wrong(0));
  for (let id = 1; id < 100; id += 1) await ask(wrong(id));
  assert.equal(await ask({ type: "recall", id: 0 }), told);
  await ask(wrong(100));
  assert.equal(await ask({ type: "recall", id: 0 }), told, "it was the last that was asked for");
  for (let id = 101; id < 202; id += 1) await ask(wrong(id));
  assert.equal(await ask({ type: "recall", id: 0 }), "worker-lost");
});
