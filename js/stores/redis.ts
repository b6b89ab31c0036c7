/** The entry `refresh-coordinator/stores/redis`: a store in Redis or Valkey, for several servers. */

export { redisStore } from "./redis-store.js";
export type { RedisStore, RedisStoreOptions } from "./redis-store.js";
export type { IoRedisClient, NodeRedisClient, RedisClient, RedisCommands, UpstashClient } from "./redis-clients.js";
