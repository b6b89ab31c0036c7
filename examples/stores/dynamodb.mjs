// A store in DynamoDB: items with the partition key `id` (a string). The table's time-to-live attribute is to be `expires`:
//   aws dynamodb update-time-to-live --table-name sessions --time-to-live-specification "Enabled=true, AttributeName=expires"

import { randomUUID } from "node:crypto";

// What has expired is deleted days later: until then it is there, and must count as absent. And the SDK sends again what it has had no
// answer to: then the version is the new one already.
const ABSENT = "version = :next OR attribute_not_exists(id) OR endsAt <= :now";
const THERE = "version = :next OR (version = :version AND (attribute_not_exists(endsAt) OR endsAt > :now))";

/** `dynamo` is the client with plain values: `DynamoDBDocument.from(new DynamoDBClient())` of `@aws-sdk/lib-dynamodb`. */
export function dynamoDbStore(dynamo, TableName) {
  // Also the empty key, which DynamoDB does not take.
  const idOf = (key) => `session ${key}`;
  return {
    scope: "cluster",
    async read(key) {
      const { Item } = await dynamo.get({ TableName, Key: { id: idOf(key) }, ConsistentRead: true });
      return Item && !(Item.endsAt <= Date.now()) ? { value: Item.value, version: Item.version } : undefined;
    },
    async write(key, value, { ifVersion, ttl }) {
      if (typeof ifVersion !== "string" && ifVersion !== null) throw new TypeError("`ifVersion` must be a version, or null");
      const [id, version, now] = [idOf(key), randomUUID(), Date.now()];
      const condition = {
        TableName,
        ConditionExpression: ifVersion === null ? ABSENT : THERE,
        ExpressionAttributeValues: { ":now": now, ":next": version, ...(ifVersion !== null && { ":version": ifVersion }) },
      };
      const life = ttl !== undefined && { endsAt: now + ttl, expires: Math.ceil((now + ttl) / 1000) };
      try {
        if (value === undefined) await dynamo.delete({ ...condition, Key: { id } });
        else await dynamo.put({ ...condition, Item: { id, value, version, ...life } });
        return version;
      } catch (error) {
        if (error.name === "ConditionalCheckFailedException") return undefined;
        throw error;
      }
    },
  };
}
