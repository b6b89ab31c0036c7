// `serve` and `connect` over a channel: the members of a coordinator, with the same promises, errors, snapshots and tokens.

import assert from "node:assert/strict";
import test from "node:test";
import { inspect } from "node:util";

import * as library from "refresh-coordinator";
import * as worker from "refresh-coordinator/worker";

import * as faults from "../authorization-server/faults.mjs";
import { startResourceServer } from "../authorization-server/resource-server.mjs";
import { rejection, rejects } from "./errors.mjs";
import { becomes, portOf, servedScene } from "./from-afar.mjs";
import { coordinator, scene, times } from "./scene.mjs";

const members = {
  getTokens: (auth) => auth.getTokens(),
  getAccessToken: (auth) => auth.getAccessToken(),
  "refresh()": (auth) => auth.refresh(),
  "refresh({ rejected })": (auth, { before }) => auth.refresh({ rejected: before.accessToken }),
  "refresh({ mintedAfterNow })": (auth) => auth.refresh({ mintedAfterNow: true }),
  renew: (auth, { tokens }) => auth.renew({ refreshToken: tokens.refresh_token }),
  "getTokens with parameters": (auth) => auth.getTokens({ params: { scope: "openid", audience: "api" } }),
  "getAccessToken with parameters": (auth) => auth.getAccessToken({ params: { scope: "openid" } }),
};

for (const [name, call] of Object.entries(members)) {
  // What one page wants minted after now, another page's exchange may be too early for.
  const pages = name.includes("mintedAfterNow") ? 1 : 3;
  test(`${name}: same demand, same promise; one rotation for ${pages} pages`, async (t) => {
    const all = await servedScene(t, { pages });
    all.expire();
    const told = all.pages.map((page) => {
      const first = call(page, all);
      assert.equal(first, call(page, all));
      return first;
    });
    const [one, ...others] = await Promise.all(told);
    for (const other of others) assert.deepEqual(other, one);
    assert.equal(all.server.oracle.presentations, 1);
    assert.equal(await all.server.isActive(one.accessToken ?? one), true);
  });

  test(`${name}: nobody looks at the refusal, and nothing is unhandled`, async (t) => {
    const all = await servedScene(t, { retries: 0 });
    const unhandled = [];
    const listener = (reason) => unhandled.push(reason);
    process.on("unhandledRejection", listener);
    t.after(() => process.off("unhandledRejection", listener));
    all.expire();
    all.server.next(1, faults.unavailable());
    const unheeded = call(all.page, all);
    while (inspect(unheeded).includes("<pending>")) await new Promise(setImmediate);
    assert.match(inspect(unheeded), /<rejected>/);
    await new Promise(setImmediate);
    assert.deepEqual(unhandled, []);
  });
}

test("ten pages with 1,000 callers each: one rotation, and the same token for all", async (t) => {
  const { server, pages, expire, counts } = await servedScene(t, { pages: 10 });
  expire();
  const told = await Promise.all(pages.flatMap((page) => times(1_000, () => page.getAccessToken())));
  assert.equal(new Set(told).size, 1);
  assert.equal(counts().rotations, 1);
  assert.equal(server.oracle.presentations, 1);
});

test("the same parameters in another order are the same demand, others are another one", async (t) => {
  const { page } = await servedScene(t);
  const one = page.getTokens({ params: { scope: "openid", audience: "api" } });
  assert.equal(one, page.getTokens({ params: { audience: "api", scope: "openid" } }));
  assert.notEqual(one, page.getTokens({ params: { audience: "api", scope: "email" } }));
  assert.notEqual(one, page.getTokens());
});

test("what is minted after now: a later call is another demand, although the first one is open", async (t) => {
  const { page, server, counts } = await servedScene(t);
  const held = server.holdReply();
  const first = page.refresh({ mintedAfterNow: true });
  await held.arrived;
  const second = page.refresh({ mintedAfterNow: true });
  held.release();
  assert.notEqual((await first).accessToken, (await second).accessToken);
  assert.equal(counts().rotations, 2);
});

test("a page has the tokens but for the refresh token, which only `renew` tells", async (t) => {
  const { page, before, tokens, auth } = await servedScene(t);
  const { refreshToken, ...shown } = before;
  const got = await page.getTokens();
  assert.deepEqual(got, shown);
  assert.ok(Object.isFrozen(got) && Object.isFrozen(got.extra));
  for (const more of [await page.refresh(), await page.setTokens({ ...(await auth.getTokens()) })]) assert.equal("refreshToken" in more, false);
  assert.equal(typeof (await page.renew({ refreshToken: (await auth.getTokens()).refreshToken })).refreshToken, "string");
  assert.notEqual(refreshToken, undefined);
  assert.equal(refreshToken, tokens.refresh_token);
});

test("what `renew` is to bring is demanded there, and checked here", async (t) => {
  const { page, server } = await servedScene(t);
  const { tokens, session } = await server.signIn();
  const carried = { accessToken: tokens.access_token, refreshToken: tokens.refresh_token, expiresAt: Date.UTC(2040, 0, 1) };
  assert.equal((await page.renew(carried)).accessToken, carried.accessToken);
  const newer = await page.renew(carried, { newer: true });
  assert.notEqual(newer.accessToken, carried.accessToken);
  assert.deepEqual(await page.renew(carried, { newer: true, canPersist: false }), newer);
  const held = server.holdReply();
  const first = page.renew(newer, { mintedAfterNow: true });
  await held.arrived;
  const second = page.renew(newer, { mintedAfterNow: true });
  held.release();
  assert.notEqual((await first).accessToken, (await second).accessToken);
  assert.equal(server.oracle.counts(session).rotations, 3);
  await rejects(page.renew(carried, { newer: "yes" }), "ConfigurationError", { code: "wrong-argument" });
});

test("nothing that a page is told of a whole life holds a refresh token or, but for the answers, an access token", async (t) => {
  const { auth, server, expire, serving, tokens } = await servedScene(t, { retries: 0 });
  const port = portOf(t, serving);
  const heard = [];
  port.addEventListener("message", ({ data }) => heard.push(data));
  const page = worker.connect(port);
  const secrets = [tokens.refresh_token];
  const access = [tokens.access_token];
  for (const fault of [undefined, faults.unavailable(), faults.oauthError("invalid_grant", 400, { error_description: tokens.refresh_token })]) {
    expire();
    if (fault) server.next(1, fault);
    await page.getTokens().then(({ accessToken }) => access.push(accessToken), () => {});
    secrets.push(...(await auth.getTokens().then(({ refreshToken }) => [refreshToken], () => [])));
  }
  await page.signOut();
  assert.ok(heard.some(({ type }) => type === "news"));
  const texts = heard.map((message) => inspect(message, { depth: 10, maxStringLength: null }));
  for (const secret of secrets) assert.ok(!texts.some((text) => text.includes(secret)), "a refresh token crossed");
  const others = texts.filter((_, number) => heard[number].outcome?.value === undefined);
  for (const token of access) assert.ok(!others.some((text) => text.includes(token)), "an access token crossed uncalled for");
});

const refusals = {
  "a server that is away": [faults.unavailable({ "retry-after": "7" }), "TransientError", { status: 503 }],
  "an invalid client": [faults.oauthError("invalid_client", 401), "ConfigurationError", { status: 401, oauthError: "invalid_client" }],
  "a revoked token": [faults.oauthError("invalid_grant"), "RevokedError", { oauthError: "invalid_grant", reason: "unknown" }],
  "a user who must act": [faults.oauthError("interaction_required"), "InteractionRequiredError", { oauthError: "interaction_required" }],
};

for (const [name, [fault, expected, fields]] of Object.entries(refusals)) {
  test(`${name}: the error has its class and all that it says, as here`, async (t) => {
    const { auth, page, server, expire } = await servedScene(t, { retries: 0 });
    expire();
    server.next(1, fault);
    const error = await rejects(page.getTokens(), expected, fields);
    assert.ok(error instanceof worker[expected] && error instanceof worker.RefreshError);
    assert.equal(error.cause, undefined);
    assert.deepEqual(error.toJSON(), auth.getSnapshot().error.toJSON(), "every field");
    assert.deepEqual(page.getSnapshot().error.toJSON(), error.toJSON());
    assert.equal(page.getSnapshot(), page.getSnapshot());
  });
}

test("what the coordinator throws that is not of the package tells its kind only", async (t) => {
  const { page, auth, tokens } = await servedScene(t);
  auth.getTokens();
  const serving = worker.serve(Object.create(auth, { getTokens: { value: () => Promise.reject(new RangeError(tokens.refresh_token)) } }), { name: "odd" });
  t.after(() => serving.close());
  const odd = worker.connect(portOf(t, serving), { name: "odd" });
  t.after(() => odd.close());
  const error = await rejects(odd.getTokens(), "InternalError", { code: "worker-threw" });
  assert.match(error.message, /RangeError/);
  assert.ok(!error.message.includes(tokens.refresh_token));
  await page.getTokens();
});

test("what the coordinator resolves with and cannot be cloned is told, and no call hangs", async (t) => {
  const { auth } = await servedScene(t);
  const odd = Object.create(auth, { getTokens: { value: () => Promise.resolve({ expiresAt: 0, extra: { odd: () => {} } }) } });
  const serving = worker.serve(odd, { name: "odd" });
  t.after(() => serving.close());
  const page = worker.connect(portOf(t, serving), { name: "odd" });
  t.after(() => page.close());
  await rejects(page.getTokens(), "InternalError", { code: "worker-threw" });
});

const mistakes = {
  "an unknown option of refresh": (page) => page.refresh({ reject: "x" }),
  "no token that was rejected": (page) => page.refresh({ rejected: undefined }),
  "mintedAfterNow that is no boolean": (page) => page.refresh({ mintedAfterNow: 1 }),
  "a signal in the place of the options": (page) => page.getTokens(AbortSignal.abort()),
  "a signal that is none": (page) => page.getAccessToken({ signal: 5 }),
  "options that are none": (page) => page.getAccessToken(5),
  "parameters that cannot be cloned": (page) => page.getTokens({ params: { scope: () => {} } }),
  "parameters that are none": (page) => page.getTokens({ params: { grant_type: "x" } }),
  "a promise of tokens": (page) => page.setTokens(Promise.resolve({})),
  "tokens that cannot be cloned": (page) => page.setTokens({ access_token: "a", refresh_token: "r", odd: () => {} }),
  "no tokens": (page) => page.setTokens({}),
  "no operation": (page) => page.run(),
};

for (const [name, call] of Object.entries(mistakes)) {
  test(`${name}: a ConfigurationError, and nothing is sent`, async (t) => {
    const { page, server } = await servedScene(t);
    await rejects(call(page), "ConfigurationError");
    assert.equal(server.oracle.presentations, 0);
    await page.getTokens();
  });
}

test("members may be listeners of a button: an event is no argument", async (t) => {
  const { page, auth } = await servedScene(t);
  const { refresh, signOut } = page;
  assert.equal(typeof (await refresh(new Event("click"))).accessToken, "string");
  assert.deepEqual(await signOut(new Event("click")), { revoked: false });
  assert.equal(auth.getSnapshot().status, "signed-out");
});

test("an abort detaches one caller: the refresh goes on, and the others are told", async (t) => {
  const { page, server, expire, counts } = await servedScene(t);
  expire();
  const held = server.holdReply();
  const leaver = new AbortController();
  const left = [page.getTokens({ signal: leaver.signal }), page.getAccessToken({ signal: leaver.signal }), page.run((token) => token, { signal: leaver.signal })];
  const stayed = page.getTokens();
  await held.arrived;
  leaver.abort(new Error("the user went on"));
  for (const promise of left) assert.equal((await rejection(promise)).message, "the user went on");
  held.release();
  assert.equal(await server.isActive((await stayed).accessToken), true);
  assert.equal(counts().rotations, 1);
});

test("a signal that has aborted already: nothing is asked", async (t) => {
  const { page, server, expire } = await servedScene(t);
  expire();
  const signal = AbortSignal.abort(new Error("too late"));
  for (const call of [page.getTokens, page.getAccessToken, page.refresh]) assert.equal((await rejection(call({ signal }))).message, "too late");
  assert.equal((await page.stats()).presentations, 0);
  assert.equal(server.oracle.presentations, 0);
});

test("the snapshot is known without a call, changes with the worker's, and is the same object until it does", async (t) => {
  const { auth, page, pages, expire, server } = await servedScene(t, { pages: 2 });
  assert.equal(page.getSnapshot().status, "unknown");
  const first = await becomes(page, "active");
  assert.deepEqual(first, auth.getSnapshot());
  assert.ok(Object.isFrozen(first));
  await page.getTokens();
  assert.equal(page.getSnapshot(), first);
  const held = server.holdReply();
  expire();
  const call = pages[1].getTokens();
  await becomes(page, "refreshing");
  await held.arrived;
  held.release();
  await call;
  assert.equal((await becomes(page, "active")).generation, first.generation + 1);
});

test("a caller who has an answer sees it in the snapshot and the statistics", async (t) => {
  const { page, auth, expire } = await servedScene(t);
  expire();
  await page.getTokens();
  assert.deepEqual(page.getSnapshot(), auth.getSnapshot());
  assert.deepEqual(page.stats(), auth.stats());
  assert.equal(page.stats().presentations, 1);
});

test("every page hears the events, until it does not want to any more", async (t) => {
  const { pages, expire } = await servedScene(t, { pages: 2 });
  const heard = [[], []];
  const ends = pages.map((page, number) => page.subscribe((event) => event && heard[number].push(event.type)));
  await Promise.all(pages.map((page) => becomes(page, "active")));
  expire();
  await pages[0].getTokens();
  await pages[1].getTokens();
  ends[1]();
  await pages[0].signOut();
  await becomes(pages[1], "signed-out");
  assert.deepEqual(heard, [["refreshed", "signed-out"], ["refreshed"]]);
});

test("a sign-out in one page is seen by the others, and their calls reject", async (t) => {
  const { pages } = await servedScene(t, { pages: 3 });
  const seen = pages.map((page) => becomes(page, "signed-out"));
  await pages[0].signOut();
  await Promise.all(seen);
  for (const page of pages) await rejects(page.getTokens(), "NoSessionError");
});

test("a sign-in in one page: nobody who asks after it joins a call from before", async (t) => {
  const { pages: [page, other], server, expire } = await servedScene(t, { pages: 2 });
  expire();
  const held = server.holdReply();
  const before = page.getTokens();
  await held.arrived;
  const { tokens, session } = await server.signIn();
  const signedIn = page.setTokens(tokens);
  const after = page.getTokens();
  assert.notEqual(after, before);
  await signedIn;
  assert.equal(await server.sessionOf((await after).accessToken), session);
  assert.equal(await server.sessionOf((await other.getTokens()).accessToken), session);
  held.release();
  await Promise.allSettled([before]);
});

test("`fetch` and `run` work in the page, with the worker's token: after a 401 once more, and one rotation for all", async (t) => {
  let server;
  const api = await startResourceServer((token) => server.isActive(token));
  t.after(() => api.close());
  const all = await servedScene(t, { pages: 2, page: { origins: [api.origin] } });
  server = all.server;
  const first = await all.page.fetch(api.url("/orders"));
  assert.equal(await first.text(), "orders");
  const refused = new Set([all.before.accessToken]);
  const operation = (token) => (refused.has(token) ? Promise.reject(Object.assign(new Error("no"), { status: 401 })) : token);
  const told = await Promise.all(all.pages.flatMap((page) => times(50, () => page.run(operation))));
  assert.equal(new Set(told).size, 1);
  assert.equal(all.server.oracle.presentations, 1);
  await assert.rejects(all.page.fetch("https://elsewhere.example/"), TypeError);
  assert.equal(api.requests.length, 1);
});

test("what one user asked for is not done as another: after a 401 no token of the next session", async (t) => {
  const { page, server, auth } = await servedScene(t);
  const seen = [];
  const operation = async (token) => {
    seen.push(token);
    await auth.setTokens((await server.signIn()).tokens);
    return { status: 401 };
  };
  assert.deepEqual(await page.run(operation), { status: 401 });
  assert.equal(seen.length, 1);
});

test("a token that replaced a refused one and is refused as well causes no rotation each time", async (t) => {
  const { page, server } = await servedScene(t);
  for (let time = 0; time < 5; time += 1) assert.deepEqual(await page.run(() => ({ status: 401 })), { status: 401 });
  assert.equal(server.oracle.presentations, 1);
});

test("two coordinators of one worker, by their names", async (t) => {
  const { auth, server, before } = await scene(t);
  const { tokens } = await server.signIn();
  const second = coordinator(t, server);
  await second.setTokens(tokens);
  const told = Object.entries({ first: auth, second }).map(([name, each]) => {
    const serving = worker.serve(each, { name });
    t.after(() => serving.close());
    const page = worker.connect(portOf(t, serving), { name });
    t.after(() => page.close());
    return page.getAccessToken();
  });
  assert.deepEqual(await Promise.all(told), [before.accessToken, tokens.access_token]);
});

test("wrong arguments of `serve` and `connect` are named", async (t) => {
  const { auth } = await servedScene(t);
  const wrong = (call, code) => assert.throws(call, (error) => error instanceof library.ConfigurationError && error.code === code);
  wrong(() => worker.serve({}), "wrong-argument");
  wrong(() => worker.serve(undefined), "wrong-argument");
  wrong(() => worker.serve(auth), "already-served");
  for (const to of [null, 5, {}]) wrong(() => worker.connect(to), "wrong-argument");
  const { port1 } = new MessageChannel();
  for (const options of [{ nme: "x" }, { name: 5 }, { origins: "x" }, { origins: ["x"] }, { callTimeout: -1 }, { patience: "1" }, { fetch: 5 }, null]) {
    wrong(() => worker.connect(port1, options), "invalid-option");
  }
  port1.close();
});

test("after `close` every member that would have to work rejects; what was asked before is answered", async (t) => {
  const { page, auth, expire, server, tokens } = await servedScene(t, { page: { origins: ["https://api.example"] } });
  await becomes(page, "active");
  expire();
  const held = server.holdReply();
  const open = page.getTokens();
  await held.arrived;
  page.close();
  page.close();
  held.release();
  assert.equal((await open).accessToken, (await auth.getTokens()).accessToken);
  const calls = {
    getTokens: () => page.getTokens(),
    getAccessToken: () => page.getAccessToken(),
    refresh: () => page.refresh(),
    renew: () => page.renew({ refreshToken: tokens.refresh_token }),
    setTokens: () => page.setTokens(tokens),
    signOut: () => page.signOut(),
    run: () => page.run(() => 5),
    fetch: () => page.fetch("https://api.example/"),
  };
  for (const call of Object.values(calls)) await rejects(call(), "ConfigurationError", { code: "closed", fault: "caller" });
  assert.equal(auth.getSnapshot().status, "active", "the coordinator goes on without this page");
});

test("required and imported, the two halves may come from two copies", async (t) => {
  const { createRequire } = await import("node:module");
  const required = createRequire(import.meta.url)("refresh-coordinator/worker");
  const { serving, auth } = await servedScene(t);
  const page = required.connect(portOf(t, serving));
  t.after(() => page.close());
  assert.equal(await page.getAccessToken(), await auth.getAccessToken());
  const other = required.serve(auth, { name: "other copy" });
  t.after(() => other.close());
  const there = worker.connect(portOf(t, other), { name: "other copy" });
  t.after(() => there.close());
  const answer = there.getTokens();
  assert.equal((await answer).accessToken, await auth.getAccessToken());
  assert.equal(await there.run(() => 5), 5);
});
