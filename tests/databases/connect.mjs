// A store on a real database by a client of one's own: what a server of an app has. `close` lets everything go.

import { redisStore } from "refresh-coordinator/stores/redis";

/** By what the store is reached: what it is given is the address of the database or of the front before it. Loads that client only. */
export const WAYS = {
  async "node-redis"({ url }) {
    const { createClient } = await import("redis");
    const client = await createClient({ url }).on("error", () => {}).connect();
    return { store: redisStore(client), close: () => client.destroy() };
  },
  async ioredis({ url }) {
    const { Redis } = await import("ioredis");
    const client = new Redis(url).on("error", () => {});
    return { store: redisStore(client), close: () => client.disconnect() };
  },
  async "@upstash/redis"({ url, token }) {
    const { Redis } = await import("@upstash/redis");
    return { store: redisStore(new Redis({ url, token, enableTelemetry: false, retry: { retries: 1, backoff: () => 50 } })), close() {} };
  },
  async "pg, LISTEN"({ url }) {
    const { connectPostgres } = await import("./pools.mjs");
    return connectPostgres(url);
  },
  async "pg, looks again"({ url }) {
    const { connectPostgres } = await import("./pools.mjs");
    return connectPostgres(url, { listen: undefined });
  },
};
