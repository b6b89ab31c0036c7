// The contract of all stores on a real cluster of three masters, by the clients that know how to speak to one; and who listens hears
// of a change wherever in the cluster it was made.

import assert from "node:assert/strict";
import test from "node:test";

import { GlideClusterClient } from "@valkey/valkey-glide";
import { Cluster } from "ioredis";
import { createCluster } from "redis";
import { redisStore } from "refresh-coordinator/stores/redis";
import { storeContract } from "refresh-coordinator/testing";

import { allServed, startRedisCluster } from "./redis-cluster.mjs";

const quiet = (client) => client.on("error", () => {});

/** How each client is made of the address of one node, and ended. */
const CLIENTS = {
  "node-redis": { watches: true, make: ({ url }) => quiet(createCluster({ rootNodes: [{ url }] })).connect(), end: (client) => client.destroy() },
  ioredis: { watches: true, make: ({ port }) => quiet(new Cluster([{ host: "127.0.0.1", port }])), end: (client) => client.disconnect() },
  "valkey-glide": {
    async make({ port }) {
      // Its patience is a quarter of a second otherwise.
      const client = await GlideClusterClient.createClient({ addresses: [{ host: "127.0.0.1", port }], requestTimeout: 10_000 });
      return { send: (command, values) => client.customCommand([command, ...values]), client };
    },
    end: ({ client }) => client.close(),
  },
};

test("redisStore on a cluster", async (t) => {
  const cluster = await startRedisCluster(t);
  for (const [name, { watches = false, make, end }] of Object.entries(CLIENTS)) {
    await t.test(name, async (t) => {
      onlyHints(t);
      const clients = await Promise.all([make(cluster), make(cluster)]);
      t.after(() => Promise.all(clients.map(end)));
      const stores = clients.map((client) => redisStore(client));
      assert.equal(stores[0].watch !== undefined, watches);
      let opened = 0;
      for (const { title, run } of storeContract(() => stores[(opened += 1) % 2])) await t.test(title, run);

      await t.test("keys are on all nodes, and each node has written some", async () => {
        for (let key = 0; key < 30; key += 1) {
          const version = await stores[0].write(`spread ${name} ${key}`, "v", { ifVersion: null });
          assert.equal((await stores[1].read(`spread ${name} ${key}`)).version, version);
        }
        for (const { send } of cluster.nodes) assert.notDeepEqual(await send("KEYS", `*spread ${name}*`), []);
      });
    });
  }
});

for (const [name, { make, end }] of Object.entries(CLIENTS).filter(([, { watches }]) => watches)) {
  test(`${name}: a node of the cluster dies; whoever listened there listens at another one, and is told to look`, async (t) => {
    onlyHints(t);
    const cluster = await startRedisCluster(t);
    const clients = await Promise.all([make(cluster), make(cluster)]);
    t.after(() => Promise.all(clients.map(end)));
    const [watching, writer] = clients.map((client) => redisStore(client));
    let hear;
    const next = () => new Promise((resolve) => (hear = resolve));
    const begun = next();
    t.after(watching.watch("k", () => hear()));
    await begun;
    // Both know all nodes by now.
    await Promise.all([watching.read("k"), writer.read("k")]);
    const channel = "refresh-coordinator:{k}";
    const place = await listenedAt(cluster.nodes, channel);
    const again = next();
    await place.kill();
    await again;
    await listenedAt(cluster.nodes.filter((node) => node !== place), channel);
    await place.start();
    await allServed(cluster.nodes);
    const heard = next();
    await patiently(() => writer.write("k", "v", { ifVersion: null }));
    await heard;
  });
}

/** Who listens is told to look every second as well: here nobody is. */
function onlyHints(t) {
  t.mock.timers.enable({ apis: ["setInterval"] });
}

/** The node of these at which somebody listens, as soon as somebody does. */
async function listenedAt(nodes, channel) {
  for (;;) {
    for (const node of nodes) if ((await node.send("PUBSUB", "CHANNELS", channel)).length > 0) return node;
  }
}

const patiently = (call) => call().catch(() => patiently(call));
