// The worker dies, is stopped, was never there, is of another version or only slow: every call settles, and goes on where it can.

import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";

import { connect, serve, waitUntil } from "refresh-coordinator/worker";

import { rejects } from "./errors.mjs";
import { becomes, channel, portOf, servedScene } from "./from-afar.mjs";

/** So short that a test can wait for it. */
const IMPATIENT = { patience: 40 };
/** So long that a test ends before, if it waits for it. */
const PATIENT = { patience: 600_000, callTimeout: 600_000 };

/** A page at a port whose other end the test holds. Returns what it says, in order, as it comes. */
function scripted(t, options) {
  const { near, far } = channel(t);
  const page = connect(near, options);
  t.after(() => page.close());
  return { page, far, ...heardAt(far) };
}

function heardAt(port) {
  const said = [];
  port.addEventListener("message", ({ data }) => said.push(data));
  port.start();
  const next = async (type, after = 0) => {
    for (;;) {
      const found = said.filter((message) => message.type === type)[after];
      if (found) return found;
      await once(port, "message");
    }
  };
  return { said, next };
}

const from = (life) => ({ "refresh-coordinator": 1, name: "default", life });
const STATE = { snapshot: { status: "active", expiresAt: 5, generation: 0 }, stats: {} };
const answer = (call, life = "a") => ({ ...from(life), type: "answer", to: call.from, id: call.id, outcome: { value: { accessToken: life, expiresAt: 5, extra: {} } }, ...STATE });

test("the worker's end is closed: whoever waits hears it at once", async (t) => {
  const { page, far, next } = scripted(t, PATIENT);
  const waiting = [page.getTokens(), page.refresh(), page.signOut(), page.setTokens({ refresh_token: "r" })];
  await next("call", 3);
  far.close();
  for (const call of waiting) await rejects(call, "TransientError", { code: "worker-lost", fault: "host", spent: "maybe" });
});

test("the worker's end was closed before: whoever comes hears it soon", async (t) => {
  const { page, far, next } = scripted(t, IMPATIENT);
  await next("hello");
  far.close();
  for (let time = 0; time < 2; time += 1) await rejects(page.getTokens(), "TransientError", { code: "worker-lost" });
});

test("nobody is at the other end: asked whether it is there, then taken for gone", async (t) => {
  const { page, said } = scripted(t, IMPATIENT);
  await rejects(page.getTokens(), "TransientError", { code: "worker-lost" });
  assert.deepEqual(said.map(({ type }) => type), ["hello", "call", "ping"]);
  await rejects(page.getTokens(), "TransientError", { code: "worker-lost" });
});

test("nobody is at any port that can be had: it is tried once more, then the calls reject, and the next call tries again", async (t) => {
  let made = 0;
  const page = connect(() => {
    made += 1;
    return channel(t).near;
  }, IMPATIENT);
  t.after(() => page.close());
  await rejects(page.getTokens(), "TransientError", { code: "worker-lost" });
  assert.equal(made, 2);
  await rejects(page.getAccessToken(), "TransientError", { code: "worker-lost" });
  assert.equal(made, 4);
});

test("the worker dies in mid-refresh and another connection is to be had: the call goes on there, and is one refresh", async (t) => {
  const { server, serving, expire, counts } = await servedScene(t);
  const ports = [];
  const page = connect(() => {
    const { near, far } = channel(t);
    serving.accept(far);
    ports.push(far);
    return near;
  });
  t.after(() => page.close());
  expire();
  const held = server.holdReply();
  const call = page.getTokens();
  await held.arrived;
  ports[0].close();
  await becomes(page, "refreshing");
  while (ports.length < 2) await new Promise(setImmediate);
  held.release();
  assert.equal(await server.isActive((await call).accessToken), true);
  assert.equal(counts().rotations, 1);
  assert.equal(ports.length, 2);
});

test("a worker that is alive and does not answer the call: `callTimeout` ends it", async (t) => {
  const { page, far, next } = scripted(t, { patience: 60, callTimeout: 300 });
  far.addEventListener("message", ({ data }) => data.type === "ping" && far.postMessage({ ...from("a"), type: "pong", to: data.from }));
  const call = page.getTokens();
  await rejects(call, "TransientError", { code: "worker-timeout", spent: "maybe" });
  await next("ping", 1);
});

test("a worker that is slow and there is waited for, and not asked twice", async (t) => {
  const { page, far, said, next } = scripted(t, { patience: 200 });
  far.addEventListener("message", ({ data }) => data.type === "ping" && far.postMessage({ ...from("a"), type: "pong", to: data.from }));
  const call = page.getTokens();
  await next("ping", 2);
  far.postMessage(answer(await next("call")));
  assert.equal((await call).accessToken, "a");
  assert.equal(said.filter(({ type }) => type === "call").length, 1);
});

test("a page that slept hears first what it was told meanwhile", async (t) => {
  let now = 0;
  t.mock.method(performance, "now", () => now);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { page, far, next } = scripted(t);
  const call = page.getTokens();
  const asked = await next("call");
  now = 100_000;
  t.mock.timers.tick(35_000);
  far.postMessage(answer(asked));
  assert.equal((await call).accessToken, "a");
});

test("the function that makes a worker throws: it is said why, and the next call tries again", async (t) => {
  const { serving, before } = await servedScene(t);
  const cause = new ReferenceError("SharedWorker is not defined");
  let there = false;
  const page = connect(() => {
    if (!there) throw cause;
    return portOf(t, serving);
  });
  t.after(() => page.close());
  const error = await rejects(page.getTokens(), "ConfigurationError", { code: "no-worker", fault: "host" });
  assert.equal(error.cause, cause);
  there = true;
  assert.equal((await page.getTokens()).accessToken, before.accessToken);
});

test("a worker that could not be started has not heard the call: the next one is asked, whatever it is", async (t) => {
  const { serving, auth } = await servedScene(t);
  const workers = [channel(t).near, portOf(t, serving)].map((port) => Object.assign(new EventTarget(), { port }));
  const [first] = workers;
  const page = connect(() => workers.shift());
  t.after(() => page.close());
  const call = page.signOut();
  first.dispatchEvent(new Event("error"));
  assert.deepEqual(await call, { revoked: false });
  assert.equal(auth.getSnapshot().status, "signed-out");
});

test("the function makes no worker: it is said", async (t) => {
  const page = connect(() => undefined);
  t.after(() => page.close());
  await rejects(page.getTokens(), "ConfigurationError", { code: "no-worker" });
});

test("a worker of another version says so, whatever else it would say: a ConfigurationError that names the remedy", async (t) => {
  const { page, far, next } = scripted(t);
  far.addEventListener("message", ({ data }) => far.postMessage({ "refresh-coordinator": 2, name: "default", type: "version", to: data.from }));
  const error = await rejects(page.getTokens(), "ConfigurationError", { code: "worker-version" });
  assert.match(error.message, /version 2 .* version 1.*Close or reload/s);
  await next("call");
  await rejects(page.getTokens(), "ConfigurationError", { code: "worker-version" });
});

test("a page of another version is told ours, and nothing it says is done", async (t) => {
  const { serving, auth } = await servedScene(t);
  const port = portOf(t, serving);
  const { next } = heardAt(port);
  port.postMessage({ "refresh-coordinator": 2, name: "default", type: "call", from: "p", id: 1, member: "signOut", args: [] });
  assert.deepEqual(await next("version"), { "refresh-coordinator": 1, name: "default", type: "version", to: "p" });
  assert.equal(auth.getSnapshot().status, "active");
});

test("what else is said at the same port is left alone, also what only looks like ours", async (t) => {
  const { serving, auth, before } = await servedScene(t);
  const port = portOf(t, serving);
  for (const other of [undefined, null, 5, "hello", {}, { type: "call" }, { "refresh-coordinator": "1", name: "default" }, { "refresh-coordinator": 1, name: 5 }]) port.postMessage(other);
  port.postMessage({ ...from(), type: "call", from: "p", id: 1, member: "close", args: [] });
  const { next } = heardAt(port);
  const { outcome } = await next("answer");
  assert.equal(outcome.error.code, "wrong-argument");
  assert.equal((await auth.getTokens()).accessToken, before.accessToken, "it is not closed");
});

test("a call that comes twice is one call", async (t) => {
  const { serving, server, counts } = await servedScene(t);
  const port = portOf(t, serving);
  const { next, said } = heardAt(port);
  const held = server.holdReply();
  const call = { ...from(), type: "call", from: "p", id: 1, member: "refresh", args: [{ mintedAfterNow: true }] };
  port.postMessage(call);
  await held.arrived;
  port.postMessage(call);
  port.postMessage({ ...from(), type: "ping", from: "p" });
  await next("pong");
  held.release();
  await next("answer");
  // One after the other: when this one is answered, there is nothing left of those before.
  port.postMessage({ ...call, id: 2 });
  while (!said.some(({ id }) => id === 2)) await once(port, "message");
  assert.equal(said.filter(({ type }) => type === "answer").length, 2);
  assert.equal(counts().rotations, 2);
});

test("a page that has gone is told nothing any more", async (t) => {
  const { serving, page, expire } = await servedScene(t);
  const port = portOf(t, serving);
  const { next, said } = heardAt(port);
  port.postMessage({ ...from(), type: "hello", from: "p" });
  await next("welcome");
  port.postMessage({ ...from(), type: "bye", from: "p" });
  expire();
  await page.getTokens();
  port.postMessage({ ...from(), type: "ping", from: "p" });
  await next("pong");
  assert.deepEqual(said.map(({ type }) => type), ["welcome", "pong"]);
});

test("when nobody serves any more, nobody is answered", async (t) => {
  const { serving, open } = await servedScene(t);
  const page = open(IMPATIENT);
  t.after(() => page.close());
  await page.getTokens();
  serving.close();
  await rejects(page.getTokens(), "TransientError", { code: "worker-lost" });
});

/** A dedicated worker whose thread is here, as the page that made it sees it. */
function dedicated(t) {
  const { near, far } = channel(t);
  let ended;
  const terminated = new Promise((resolve) => (ended = resolve));
  const worker = Object.assign(new EventTarget(), { ends: 0, terminated, postMessage: (message) => near.postMessage(message) });
  worker.terminate = () => ended((worker.ends += 1));
  near.addEventListener("message", ({ data }) => worker.dispatchEvent(new MessageEvent("message", { data })));
  near.start();
  return { worker, far };
}

test("a dedicated worker that is only busy is not ended: its callers are refused, and later ones answered by the same one", async (t) => {
  const { worker, far } = dedicated(t);
  let made = 0;
  const page = connect(() => ((made += 1), worker), IMPATIENT);
  t.after(() => page.close());
  for (const call of [page.getTokens(), page.setTokens({ refresh_token: "r" })]) await rejects(call, "TransientError", { code: "worker-timeout", spent: "maybe" });
  const { said } = heardAt(far);
  far.addEventListener("message", ({ data }) => data.id === 3 && far.postMessage(answer(data)));
  assert.equal((await page.getTokens()).accessToken, "a");
  assert.deepEqual([made, worker.ends], [1, 0]);
  assert.ok(!said.some(({ type }) => type === "bye"));
});

test("a dedicated worker that was silent for longer than a refresh takes is let go, and another one made", async (t) => {
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const workers = [];
  const page = connect(() => {
    const { worker, far } = dedicated(t);
    workers.push({ worker, ...heardAt(far), far });
    return worker;
  }, { patience: 20 });
  t.after(() => page.close());
  await rejects(page.getTokens(), "TransientError", { code: "worker-timeout" });
  now = 60_000;
  const call = page.getTokens();
  while (workers.length < 2) await new Promise(setImmediate);
  workers[1].far.postMessage(answer(await workers[1].next("call")));
  assert.equal((await call).accessToken, "a");
  assert.equal((await workers[0].next("bye")).ends, true);
  assert.equal(workers[0].worker.ends, 0, "it is told first");
});

test("a dedicated worker is ended when nothing is under way there, not with a refresh at the server", async (t) => {
  const { serving, page: other, server, before } = await servedScene(t, { waitUntil });
  const { worker, far } = dedicated(t);
  serving.accept(far);
  const page = connect(() => worker);
  await page.getTokens();
  const held = server.holdReply();
  const refresh = other.refresh();
  await held.arrived;
  page.close();
  const port = portOf(t, serving);
  const { next } = heardAt(port);
  port.postMessage({ ...from(), type: "ping", from: "p" });
  await next("pong");
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(worker.ends, 0);
  held.release();
  assert.notEqual((await refresh).accessToken, before.accessToken);
  await worker.terminated;
  assert.equal(worker.ends, 1);
});

test("a dedicated worker that does not tell what is under way is ended a minute later", async (t) => {
  const { serving } = await servedScene(t);
  const { worker, far } = dedicated(t);
  serving.accept(far);
  const page = connect(() => worker);
  await page.getTokens();
  const { setTimeout: real } = globalThis;
  const minutes = [];
  t.mock.method(globalThis, "setTimeout", (ring, ms = 0) => (ms === 60_000 ? { minute: minutes.push(ring) } : real(ring, ms)));
  page.close();
  const port = portOf(t, serving);
  const { next } = heardAt(port);
  const ping = { ...from(), type: "ping", from: "p" };
  port.postMessage(ping);
  await next("pong");
  await new Promise((resolve) => real(resolve));
  // What it would have said by now, the page would have heard.
  port.postMessage(ping);
  await next("pong", 1);
  assert.equal(worker.ends, 0);
  for (const ring of minutes) ring();
  assert.equal(worker.ends, 1);
});

test("an exception in a worker: before it has spoken the calls say it, later the app hears of its own", async (t) => {
  const { worker, far } = dedicated(t);
  const { next } = heardAt(far);
  const page = connect(worker);
  t.after(() => page.close());
  const failing = () => !worker.dispatchEvent(new Event("error", { cancelable: true }));
  const first = page.getTokens();
  assert.equal(failing(), true);
  await rejects(first, "TransientError", { code: "worker-failed" });
  const second = page.getTokens();
  far.postMessage(answer(await next("call", 1)));
  await second;
  assert.equal(failing(), false);
});

test("a page whose port is closed without a goodbye is told nothing any more", async (t) => {
  const { serving, auth, page } = await servedScene(t);
  const { near, far } = channel(t);
  const told = t.mock.method(far, "postMessage");
  serving.accept(far);
  const { next } = heardAt(near);
  near.postMessage({ ...from(), type: "hello", from: "p" });
  await next("welcome");
  const closed = once(far, "close");
  near.close();
  await closed;
  const before = told.mock.callCount();
  await auth.signOut();
  await becomes(page, "signed-out");
  assert.equal(told.mock.callCount(), before);
});

test("no workers here, as where pages are rendered: `connect` works, and the calls say it", async (t) => {
  for (const to of [globalThis.navigator?.serviceWorker, () => new SharedWorker("/auth-worker.js")]) {
    const page = connect(to);
    t.after(() => page.close());
    assert.equal(page.getSnapshot().status, "unknown");
    for (let time = 0; time < 2; time += 1) await rejects(page.getTokens(), "ConfigurationError", { code: "no-worker", fault: "host" });
    await rejects(page.setTokens({ refresh_token: "r" }), "ConfigurationError", { code: "no-worker" });
  }
});

test("neither half needs a global `crypto`, which Node 18 has not", async (t) => {
  const { auth, serving, before } = await servedScene(t);
  serving.close();
  const had = Object.getOwnPropertyDescriptor(globalThis, "crypto");
  Object.defineProperty(globalThis, "crypto", { value: undefined, configurable: true });
  t.after(() => Object.defineProperty(globalThis, "crypto", had));
  const again = serve(auth);
  t.after(() => again.close());
  const page = connect(portOf(t, again));
  t.after(() => page.close());
  assert.equal(await page.getAccessToken(), before.accessToken);
});

/** Service workers as a page sees them: which one is in charge, and what it says. */
class Container extends EventTarget {
  controller = null;
  ready = new Promise((resolve, reject) => Object.assign(this, { install: (active) => resolve({ active }), fail: reject }));

  startMessages() {}

  says(source, data) {
    const event = new Event("message");
    this.dispatchEvent(Object.defineProperties(event, { source: { value: source }, data: { value: data } }));
  }

  takesOver(worker) {
    this.controller = worker;
    this.dispatchEvent(new Event("controllerchange"));
  }
}

/** A service worker that notes what it is told. */
class ServiceWorker extends EventTarget {
  state = "activated";
  said = [];
  #arrived = new EventTarget();

  postMessage(message) {
    this.said.push(structuredClone(message));
    this.#arrived.dispatchEvent(new Event("message"));
  }

  async hears(type, after = 0) {
    for (;;) {
      const found = this.said.filter((message) => message.type === type)[after];
      if (found) return found;
      await new Promise((resolve) => this.#arrived.addEventListener("message", resolve, { once: true }));
    }
  }
}

function served(t, options, controller = null) {
  const container = Object.assign(new Container(), { controller });
  const page = connect(container, options);
  t.after(() => page.close());
  return { container, page, worker: new ServiceWorker() };
}

test("a page that no service worker controls yet: the one that is installed, once it is", async (t) => {
  const { container, page, worker } = served(t);
  const call = page.getTokens();
  container.install(worker);
  container.says(worker, answer(await worker.hears("call")));
  assert.equal((await call).accessToken, "a");
});

test("no service worker is ever installed: `callTimeout` ends the call, and something uncloneable is named at once", async (t) => {
  const { page } = served(t, { callTimeout: 30 });
  await rejects(page.setTokens({ refresh_token: "r", odd: () => {} }), "ConfigurationError", { code: "wrong-argument" });
  await rejects(page.getTokens(), "TransientError", { code: "worker-timeout" });
});

test("service workers are not allowed here: it is said", async (t) => {
  const { container, page } = served(t);
  const call = page.getTokens();
  container.fail(new DOMException("no", "SecurityError"));
  await rejects(call, "ConfigurationError", { code: "no-worker" });
});

test("the service worker was stopped in the middle: what it had been asked is asked again, and the calls go on", async (t) => {
  const { container, page, worker } = served(t);
  container.install(worker);
  const call = page.getTokens();
  const asked = await worker.hears("call");
  container.says(worker, { ...from("first life"), type: "welcome", to: asked.from, ...STATE });
  // Another page has started it again, and it knows nothing of the call.
  container.says(worker, { ...from("second life"), type: "news", ...STATE });
  const again = await worker.hears("call", 1);
  assert.equal(again.id, asked.id);
  container.says(worker, answer(again, "second life"));
  assert.equal((await call).accessToken, "second life");
  assert.equal(worker.said.filter(({ type }) => type === "hello").length, 1, "the connection is the same");
});

test("another service worker takes over: the calls go on there, and the old one is not heard", async (t) => {
  const { container, page, worker } = served(t, PATIENT);
  container.install(worker);
  const call = page.getTokens();
  const asked = await worker.hears("call");
  const next = new ServiceWorker();
  container.takesOver(next);
  const again = await next.hears("call");
  container.says(worker, answer(asked, "old"));
  container.says(next, answer(again, "new"));
  assert.equal((await call).accessToken, "new");
});

test("a service worker that is redundant is not asked", async (t) => {
  const gone = Object.assign(new ServiceWorker(), { state: "redundant" });
  const { container, page, worker } = served(t, {}, gone);
  container.install(worker);
  const call = page.getTokens();
  container.says(worker, answer(await worker.hears("call")));
  await call;
  assert.deepEqual(gone.said, []);
});

test("what another worker or a message to another page says is not heard", async (t) => {
  const { container, page, worker } = served(t);
  container.install(worker);
  const call = page.getTokens();
  const asked = await worker.hears("call");
  container.says(new ServiceWorker(), answer(asked, "of another scope"));
  container.says(worker, { ...answer(asked, "for another page"), to: "another" });
  container.says(worker, { ...answer(asked, "of another name"), name: "another" });
  container.says(worker, answer(asked, "mine"));
  assert.equal((await call).accessToken, "mine");
});
