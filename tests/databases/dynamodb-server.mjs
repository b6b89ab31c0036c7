// A server that speaks DynamoDB's protocol, with a table in it. Unlike Amazon's own it never deletes what has expired.

import { once } from "node:events";

import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import dynalite from "dynalite";

/** Starts one that ends with the test. `connect` makes one more client of it. */
export async function startDynamoDb(t, table) {
  const server = dynalite({ createTableMs: 0 }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const clients = [];
  t.after(async () => {
    for (const client of clients) client.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const settings = {
    endpoint: `http://127.0.0.1:${server.address().port}`,
    region: "anywhere",
    credentials: { accessKeyId: "anybody", secretAccessKey: "anything" },
  };
  const connect = () => {
    const client = new DynamoDB(settings);
    clients.push(client);
    return DynamoDBDocument.from(client);
  };
  const client = new DynamoDB(settings);
  clients.push(client);
  await client.createTable({
    TableName: table,
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    BillingMode: "PAY_PER_REQUEST",
  });
  while ((await client.describeTable({ TableName: table })).Table.TableStatus !== "ACTIVE");
  return { connect };
}
