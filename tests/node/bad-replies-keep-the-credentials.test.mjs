// Replies that no real server should send: a typed error each, nothing hangs, and the session goes on.

import assert from "node:assert/strict";
import test from "node:test";

import { reply, startScriptedServer } from "../authorization-server/scripted.mjs";
import { Clock } from "./clock.mjs";
import { rejects } from "./errors.mjs";
import { LIFETIME, coordinator } from "./scene.mjs";

const good = { access_token: "A1-good-token", refresh_token: "R1-good-token", expires_in: 300, token_type: "Bearer" };
const json = (value) => reply(JSON.stringify(value));

const bad = {
  "an HTML page": [reply("<!doctype html><title>Sign in</title>", { type: "text/html" }), "TransientError"],
  "an empty body": [reply(""), "TransientError"],
  "an empty body without a type": [reply("", { type: null }), "TransientError"],
  "204": [reply("", { status: 204 }), "TransientError"],
  "a truncated body": [reply(JSON.stringify(good).slice(0, 40), { length: 400 }), "TransientError"],
  "JSON that breaks off": [reply(JSON.stringify(good).slice(0, 40)), "TransientError"],
  "10 MB of JSON": [json({ ...good, padding: "x".repeat(10_000_000) }), "TransientError"],
  "10 MB without a length": [reply("x".repeat(10_000_000), { length: null }), "TransientError"],
  "text that is not JSON": [reply("ok"), "TransientError"],
  "bytes that are not UTF-8": [reply(Buffer.from([0xff, 0xfe, 0x00, 0x80])), "TransientError"],
  "the JSON text null": [reply("null"), "TransientError"],
  "a JSON array": [json([good]), "TransientError"],
  "a JSON string": [json("A1-good-token"), "TransientError"],
  "no access token": [json({ ...good, access_token: undefined }), "TransientError"],
  "an empty access token": [json({ ...good, access_token: "" }), "TransientError"],
  "an access token that is a number": [json({ ...good, access_token: 7 }), "TransientError"],
  "an access token in the prototype only": [reply(`{"__proto__":${JSON.stringify(good)}}`), "TransientError"],
  "a refresh token that is an object": [json({ ...good, refresh_token: {} }), "TransientError"],
  "an access token with a line break": [json({ ...good, access_token: "A1\r\nX-Injected: yes" }), "TransientError"],
  "nesting without end": [reply("[".repeat(100_000)), "TransientError"],
  "a redirect": [reply("", { status: 302, headers: { Location: "https://elsewhere.invalid/" } }), "ConfigurationError"],
  "a redirect that keeps the method": [reply("", { status: 307, headers: { Location: "/token" } }), "ConfigurationError"],
  "no HTTP at all": [Buffer.from("SSH-2.0-OpenSSH_9.2\r\n"), "TransientError"],
  "nothing": [Buffer.alloc(0), "TransientError"],
};

async function scripted(t, ...script) {
  const server = await startScriptedServer(...script);
  t.after(() => server.close());
  const clock = new Clock();
  const auth = coordinator(t, server, { clock, retries: 0 });
  await auth.setTokens({ access_token: "A0-first-token", refresh_token: "R0-first-token", expires_in: 300 });
  clock.advance(LIFETIME);
  return { server, clock, auth };
}

for (const [name, [bytes, className]] of Object.entries(bad)) {
  test(`N-14: ${name}`, async (t) => {
    const { server, clock, auth } = await scripted(t, bytes, json(good));
    const error = await rejects(auth.getAccessToken(), className);
    if (className === "TransientError") assert.equal(error.spent, "maybe");
    assert.equal(server.requests.length, 1, "a redirect is not followed, and nothing is sent twice");
    assert.equal(auth.getSnapshot().status, "active");
    clock.advance(Math.max(5_000, (error.retryAt ?? 0) - clock.now()));
    assert.equal(await auth.getAccessToken(), good.access_token);
    assert.equal(server.requests[1].form.get("refresh_token"), "R0-first-token", "the credentials were kept");
  });
}

test("`__proto__`, `constructor` and `prototype` in a reply are dropped, the rest is served", async (t) => {
  const evil = JSON.stringify(good).replace("{", '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"prototype":1,');
  const { auth } = await scripted(t, reply(evil.replace(/\}$/, ',"tenant":{"__proto__":{"admin":true},"id":5}}')));
  const tokens = await auth.getTokens();
  assert.equal(tokens.accessToken, good.access_token);
  assert.equal(tokens.admin ?? tokens.extra.admin ?? {}.admin, undefined);
  assert.equal(Object.getPrototypeOf(tokens.extra), Object.prototype);
  for (const name of ["__proto__", "constructor", "prototype"]) assert.equal(Object.hasOwn(tokens.extra, name), false);
  assert.equal(tokens.extra.tenant.id, 5);
  assert.equal(tokens.extra.tenant.admin, undefined);
});

const unusual = {
  "numbers as text": [json({ ...good, expires_in: "300" }), 300_000],
  "no refresh token: the old one stays": [json({ ...good, refresh_token: undefined }), 300_000],
  "no lifetime": [json({ ...good, expires_in: undefined }), 300_000],
  "a type in capitals, a BOM, and a text content type": [
    reply(`\ufeff${JSON.stringify({ ...good, token_type: "BEARER" })}`, { type: "text/plain; charset=utf-8" }),
    300_000,
  ],
  "an error member that is null": [json({ ...good, error: null }), 300_000],
};
for (const [name, [bytes, lifetime]] of Object.entries(unusual)) {
  test(`N-18: unusual, and good: ${name}`, async (t) => {
    const { clock, auth } = await scripted(t, bytes);
    const tokens = await auth.getTokens();
    assert.equal(tokens.accessToken, good.access_token);
    assert.equal(tokens.expiresAt, clock.now() + lifetime);
    assert.ok(tokens.refreshToken === good.refresh_token || tokens.refreshToken === "R0-first-token");
  });
}

test("a server that answers with an error and status 200", async (t) => {
  const { auth } = await scripted(t, json({ error: "bad_refresh_token", error_description: "expired" }));
  await rejects(auth.getAccessToken(), "RevokedError", { status: 200 });
});

test("MB-01 MB-23 MB-24 CL-16: the request is a form with exactly what the standard asks for", async (t) => {
  const { server, auth } = await scripted(t, json(good));
  await auth.getAccessToken();
  const [{ head, form }] = server.requests;
  assert.match(head, /^POST \/token HTTP\/1\.1\r\n/);
  assert.match(head, /\r\ncontent-type: application\/x-www-form-urlencoded/i);
  assert.deepEqual(Object.fromEntries(form), { grant_type: "refresh_token", refresh_token: "R0-first-token", client_id: "web" });
});
