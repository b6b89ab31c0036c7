// The databases that a cluster shares: how each is started and reached, everything that is in it, and how to make it say something.

import pg from "pg";
import { createClient } from "redis";

import { makeTable } from "../databases/pools.mjs";
import { startPostgres } from "../databases/postgres-server.mjs";
import { startRedis } from "../databases/redis-server.mjs";

export const DATABASES = {
  Redis: {
    /** Half of the processes have the one client, and half the other. */
    ways: ["node-redis", "ioredis"],
    start: startRedis,
    /** Every key and value. */
    async rows({ url }) {
      const client = await createClient({ url }).connect();
      const rows = [];
      for await (const keys of client.scanIterator({ COUNT: 1_000 })) {
        const values = keys.length > 0 ? await client.mGet(keys) : [];
        rows.push(...keys.map((key, index) => `${key} ${values[index]}`));
      }
      client.destroy();
      return rows;
    },
    /** A row of this key and value, and a line in its log. */
    async say({ url }, key, text) {
      const client = await createClient({ url }).connect();
      await client.set(key, text);
      await client.eval("redis.log(redis.LOG_WARNING, ARGV[1])", { arguments: [text] });
      client.destroy();
    },
  },
  Postgres: {
    ways: ["pg, LISTEN", "pg, looks again"],
    async start(t) {
      const server = await startPostgres(t);
      await makeTable(server);
      return server;
    },
    rows: (server) => withClient(server, async (client) => (await client.query("SELECT r::text AS row FROM refresh_coordinator r")).rows.map(({ row }) => row)),
    say: (server, key, text) =>
      withClient(server, async (client) => {
        await client.query("INSERT INTO refresh_coordinator (id, value, version) VALUES ($1, $2, $2)", [key, text]);
        await client.query(`DO $$ BEGIN RAISE WARNING '${text}'; END $$`);
      }),
  },
};

async function withClient({ url }, does) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return does(client).finally(() => client.end());
}
