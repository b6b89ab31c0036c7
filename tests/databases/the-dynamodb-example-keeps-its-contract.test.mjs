// The store of `examples/stores/dynamodb.mjs`, by Amazon's own client: the contract of all stores, and what DynamoDB does to its users.

import assert from "node:assert/strict";
import test from "node:test";

import { storeContract } from "refresh-coordinator/testing";

import { dynamoDbStore } from "../../examples/stores/dynamodb.mjs";
import { startDynamoDb } from "./dynamodb-server.mjs";

const TABLE = "sessions";

test("dynamoDbStore", async (t) => {
  const { connect } = await startDynamoDb(t, TABLE);
  const clients = [connect(), connect()];
  const stores = clients.map((client) => dynamoDbStore(client, TABLE));
  let opened = 0;
  for (const { title, run } of storeContract(() => stores[(opened += 1) % 2])) await t.test(title, run);

  await t.test("what has expired is absent although it is still there, and DynamoDB is told in seconds when to delete it", async () => {
    const before = Date.now();
    const version = await stores[0].write("k", "v", { ifVersion: null, ttl: 1 });
    while ((await stores[1].read("k")) !== undefined);
    const { Item } = await clients[0].get({ TableName: TABLE, Key: { id: "session k" } });
    assert.equal(Item.version, version);
    assert.ok(Number.isInteger(Item.expires) && Item.expires >= before / 1_000 && Item.expires <= Date.now() / 1_000 + 1, String(Item.expires));
    assert.equal(await stores[0].write("k", undefined, { ifVersion: version }), undefined);
    const next = await stores[0].write("k", "w", { ifVersion: null });
    assert.equal((await stores[1].read("k")).version, next);
    const lasting = await clients[0].get({ TableName: TABLE, Key: { id: "session k" } });
    assert.deepEqual(lasting.Item, { id: "session k", value: "w", version: next });
  });

  await t.test("what the client sends a second time, because no answer came, is not taken for a conflict", async () => {
    const client = connect();
    let sent = 0;
    const twice = (next) => async (request) => {
      sent += 1;
      await next(request);
      return next(request);
    };
    client.middlewareStack.add(twice, { step: "finalizeRequest", priority: "low" });
    const store = dynamoDbStore(client, TABLE);
    const version = await store.write("twice", "a", { ifVersion: null });
    assert.equal((await store.read("twice")).version, version);
    assert.equal(typeof (await store.write("twice", "b", { ifVersion: version, ttl: 60_000 })), "string");
    assert.equal(sent, 3);
  });

  await t.test("any other failure is no conflict", async () => {
    const store = dynamoDbStore(connect(), "another");
    await assert.rejects(() => store.write("k", "v", { ifVersion: null }), { name: "ResourceNotFoundException" });
  });
});
