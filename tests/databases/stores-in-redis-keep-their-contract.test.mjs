// The contract of all stores on a real Redis, by every client that redisStore takes; and what only Redis does to its users.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";

import { Redis as Upstash } from "@upstash/redis";
import { GlideClient } from "@valkey/valkey-glide";
import { Redis as IoRedis } from "ioredis";
import { Redis as IoValkey } from "iovalkey";
import { createClient, createClientPool } from "redis";
import { StoreError } from "refresh-coordinator";
import { redisStore } from "refresh-coordinator/stores/redis";
import { storeContract } from "refresh-coordinator/testing";

import { startRedis } from "./redis-server.mjs";
import { startUpstashFront } from "./upstash-front.mjs";

const quiet = (client) => client.on("error", () => {});

/** How each client is made, and ended. */
const CLIENTS = {
  "node-redis": { watches: true, make: async ({ url }) => quiet(createClient({ url })).connect(), end: (client) => client.destroy() },
  "node-redis, replies as bytes": {
    watches: true,
    make: async ({ url }) => (await quiet(createClient({ url })).connect()).withTypeMapping({ 36: Buffer }),
    end: (client) => client.destroy(),
  },
  "node-redis, pool": { make: async ({ url }) => quiet(createClientPool({ url })).connect(), end: (client) => client.destroy() },
  "node-redis, with a prefix of its own": {
    watches: true,
    make: ({ url }) => quiet(createClient({ url, keyPrefix: "app:" })).connect(),
    end: (client) => client.destroy(),
  },
  ioredis: { watches: true, make: ({ port }) => quiet(new IoRedis(port)), end: (client) => client.disconnect() },
  "ioredis, with a prefix of its own": {
    watches: true,
    make: ({ port }) => quiet(new IoRedis(port, { keyPrefix: "app:" })),
    end: (client) => client.disconnect(),
  },
  iovalkey: { watches: true, make: ({ port }) => quiet(new IoValkey(port)), end: (client) => client.disconnect() },
  "@upstash/redis": {
    make: async ({ front }) => new Upstash({ url: front.url, token: front.token, enableTelemetry: false }),
    end: () => {},
  },
  "valkey-glide": {
    make: async ({ port }) => {
      // Its patience is a quarter of a second otherwise.
      const client = await GlideClient.createClient({ addresses: [{ host: "127.0.0.1", port }], requestTimeout: 10_000 });
      return { send: (command, values) => client.customCommand([command, ...values]), client };
    },
    end: ({ client }) => client.close(),
  },
  "an object that sends": {
    make: async ({ url }) => {
      const client = await quiet(createClient({ url })).connect();
      return { send: (command, values) => client.sendCommand([command, ...values]), client };
    },
    end: ({ client }) => client.destroy(),
  },
};

for (const [name, { watches = false, make, end }] of Object.entries(CLIENTS)) {
  test(`redisStore by ${name}`, async (t) => {
    const server = await startRedis(t);
    server.front = await startUpstashFront(t, server.url);
    const clients = await Promise.all([make(server), make(server)]);
    t.after(() => Promise.all(clients.map(end)));
    // Every other handle is on a connection of its own, as in another process.
    const stores = clients.map((client) => redisStore(client));
    let opened = 0;
    assert.equal(stores[0].watch !== undefined, watches);
    assert.equal(stores[0].scope, "cluster");
    for (const { title, run } of storeContract(() => stores[(opened += 1) % 2])) await t.test(title, run);
  });
}

async function store(t, server, options) {
  const client = await quiet(createClient({ url: server.url })).connect();
  t.after(() => client.isOpen && client.destroy());
  return { client, store: redisStore(client, options) };
}

test("the script goes by its name, and is told whole to a server that does not know it, any more", async (t) => {
  const server = await startRedis(t);
  const sent = [];
  const { client } = await store(t, server);
  const spied = redisStore({
    send: (command, values) => {
      sent.push([command, values]);
      return client.sendCommand([command, ...values]);
    },
  });
  const first = await spied.write("k", "a", { ifVersion: null });
  const second = await spied.write("k", "b", { ifVersion: first });
  await client.sendCommand(["SCRIPT", "FLUSH"]);
  assert.equal(typeof (await spied.write("k", "c", { ifVersion: second })), "string");
  assert.deepEqual(sent.map(([command]) => command), ["EVALSHA", "EVAL", "EVALSHA", "EVALSHA", "EVAL"]);
  const [, [script]] = sent[1];
  assert.equal(sent[0][1][0], createHash("sha1").update(script).digest("hex"));
});

test("what a client sends a second time, because the connection broke, is not taken for a conflict", async (t) => {
  const server = await startRedis(t);
  const { client } = await store(t, server);
  const twice = redisStore({
    async send(command, values) {
      await client.sendCommand([command, ...values]).catch(() => {});
      return client.sendCommand([command, ...values]);
    },
  });
  const version = await twice.write("k", "a", { ifVersion: null });
  assert.equal((await twice.read("k")).version, version);
  assert.equal(typeof (await twice.write("k", "b", { ifVersion: version })), "string");
});

test("a time to live is the server's, and ends with the next write; keys and channels have the prefix", async (t) => {
  const server = await startRedis(t);
  const { client, store: prefixed } = await store(t, server, { prefix: "app:auth:" });
  const version = await prefixed.write("k", "v", { ifVersion: null, ttl: 59_999.5 });
  assert.deepEqual(await client.sendCommand(["KEYS", "*"]), ["app:auth:{k}"]);
  const left = await client.sendCommand(["PTTL", "app:auth:{k}"]);
  assert.ok(left > 50_000 && left <= 60_000, String(left));
  await prefixed.write("k", "w", { ifVersion: version });
  assert.equal(await client.sendCommand(["PTTL", "app:auth:{k}"]), -1);
  const heard = new Promise((resolve) => prefixed.watch("other", resolve));
  await heard;
  assert.deepEqual(await client.sendCommand(["PUBSUB", "CHANNELS"]), ["app:auth:{other}"]);
});

test("one who may not publish may write", async (t) => {
  const server = await startRedis(t);
  const { client, store: allowed } = await store(t, server);
  await client.sendCommand(["ACL", "SETUSER", "writer", "on", "nopass", "~*", "+@all", "resetchannels"]);
  await client.sendCommand(["AUTH", "writer", "any"]);
  const version = await allowed.write("k", "v", { ifVersion: null });
  assert.deepEqual({ ...(await allowed.read("k")) }, { value: "v", version });
});

test("Redis is away: who reads or writes is told so, by a code and without the value", async (t) => {
  const server = await startRedis(t);
  const front = await startUpstashFront(t, server.url);
  const makers = {
    ioredis: () => quiet(new IoRedis(server.port, { maxRetriesPerRequest: 0, retryStrategy: null })),
    "@upstash/redis": () => new Upstash({ url: front.url, token: "another", retry: false, enableTelemetry: false }),
  };
  const clients = Object.values(makers).map((make) => make());
  t.after(() => clients[0].disconnect());
  await clients[0].ping();
  await server.kill();
  for (const client of clients) {
    const { read, write } = redisStore(client);
    for (const call of [() => read("k"), () => write("k", "a very secret value", { ifVersion: null })]) {
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof StoreError);
        assert.equal(error.code, "store-threw");
        assert.match(error.message, /^Redis .+ \(.+\)/);
        assert.doesNotMatch(JSON.stringify([error.message, error.stack, error.cause]), /secret|command was/);
        return true;
      });
    }
  }
});

test("a subscription that broke begins anew, and whoever watches is told to look", async (t) => {
  const server = await startRedis(t);
  const { store: writer } = await store(t, server);
  for (const make of [CLIENTS["node-redis"], CLIENTS.ioredis]) {
    const client = await make.make(server);
    t.after(() => make.end(client));
    const watching = redisStore(client);
    let hear;
    const next = () => new Promise((resolve) => (hear = resolve));
    const begun = next();
    watching.watch("k", () => hear());
    await begun;
    const again = next();
    await server.kill();
    await server.start();
    await again;
    // Not only the hint that nobody listens.
    while (!(await subscribed(server, "k")));
    const heard = next();
    const there = await patiently(() => writer.read("k"));
    await patiently(() => writer.write("k", "v", { ifVersion: there?.version ?? null }));
    await heard;
  }
});

const patiently = (call) => call().catch(() => patiently(call));

async function subscribed({ url }, key) {
  const client = await quiet(createClient({ url })).connect();
  const channels = await client.sendCommand(["PUBSUB", "CHANNELS"]);
  client.destroy();
  return channels.some((channel) => channel.endsWith(`{${key}}`));
}

test("what is no reply of Redis is a failure, never an absent value or a conflict", async () => {
  for (const reply of [undefined, "", "an entry of somebody else", {}, [], NaN, 2, "OK"]) {
    const { read, write } = redisStore({ send: async () => reply });
    for (const call of [() => read("k"), () => write("k", "v", { ifVersion: null })]) {
      await assert.rejects(call, (error) => error instanceof StoreError, String(reply));
    }
  }
});

test("a client of no known shape, and options of another kind, are named", () => {
  for (const client of [undefined, null, "redis://", {}, { get() {} }, { evalSha() {} }, []]) {
    assert.throws(() => redisStore(client), (error) => error instanceof TypeError && error.message.startsWith("`client` must be a client of `redis`"));
  }
  const client = { send() {} };
  assert.throws(() => redisStore(client, { prefix: 5 }), /`prefix` must be a string/);
  for (const lag of [-1, Infinity, NaN, "1"]) assert.throws(() => redisStore(client, { lag }), /`lag` must be a number of milliseconds/);
});
