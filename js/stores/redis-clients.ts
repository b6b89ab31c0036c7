/**
 * The clients that {@link redisStore} takes, by their shape, and what it needs of them.
 *
 * Must not know what is stored. Imports none of them: who has no Redis installs no client of it.
 */

import { ioRedisClusterListening, nodeRedisClusterListening } from "./redis-cluster-listening.js";
import { ioRedisListening, type Listen, nodeRedisListening } from "./redis-listening.js";

/** A client of node-redis (`redis`, `@redis/client`): `createClient`, `createCluster`, `createClientPool`, `createSentinel`. */
export interface NodeRedisClient {
  get(key: string): PromiseLike<unknown>;
  evalSha(name: string, options: { keys: string[]; arguments: string[] }): PromiseLike<unknown>;
  eval(script: string, options: { keys: string[]; arguments: string[] }): PromiseLike<unknown>;
}

/** A client of ioredis or iovalkey: `Redis`, `Cluster`. */
export interface IoRedisClient {
  get(key: string): PromiseLike<unknown>;
  evalsha(name: string, keys: number, ...keysAndArguments: string[]): PromiseLike<unknown>;
  eval(script: string, keys: number, ...keysAndArguments: string[]): PromiseLike<unknown>;
  defineCommand(name: string, definition: { lua: string }): unknown;
}

/** A client of `@upstash/redis`, which speaks HTTP. */
export interface UpstashClient {
  get(key: string): PromiseLike<unknown>;
  evalsha(name: string, keys: string[], values: string[]): PromiseLike<unknown>;
  eval(script: string, keys: string[], values: string[]): PromiseLike<unknown>;
  createScript(script: string): unknown;
}

/** Any other client: sends one command, and resolves with the reply. Bun's `RedisClient` has this shape. */
export interface RedisCommands {
  send(command: string, values: string[]): PromiseLike<unknown>;
}

/** What {@link redisStore} takes. */
export type RedisClient = NodeRedisClient | IoRedisClient | UpstashClient | RedisCommands;

/** A client as the store uses it. */
export interface Commands {
  get(key: string): PromiseLike<unknown>;
  evalsha(name: string, key: string, values: string[]): PromiseLike<unknown>;
  eval(script: string, key: string, values: string[]): PromiseLike<unknown>;
  /** For how long a read may be behind, in milliseconds. */
  readonly lag: number;
  /** Absent where the client cannot subscribe. */
  readonly listen?: Listen;
}

/**
 * A replica of Upstash answers who reads. Its client asks for all that it has written itself, not for what others have, which
 * matters after a refusal only.
 */
const UPSTASH_LAG = 1_000;

/** What can be done with a client. Throws a `TypeError` if it is none. */
export function commandsOf(client: RedisClient): Commands {
  if (has(client, "evalSha", "eval", "get")) return nodeRedis(client as NodeRedisClient);
  if (has(client, "createScript", "evalsha", "eval", "get")) return upstash(client as UpstashClient);
  if (has(client, "defineCommand", "evalsha", "eval", "get")) return ioRedis(client as IoRedisClient);
  if (has(client, "send")) return anyOther(client as RedisCommands);
  throw new TypeError(
    "`client` must be a client of `redis`, `ioredis`, `iovalkey` or `@upstash/redis`, or an object with a function " +
      "`send(command, values)` that resolves with the reply",
  );
}

function nodeRedis(client: NodeRedisClient): Commands {
  return {
    lag: 0,
    get: (key) => client.get(key),
    evalsha: (name, key, values) => client.evalSha(name, { keys: [key], arguments: values }),
    eval: (script, key, values) => client.eval(script, { keys: [key], arguments: values }),
    // Pools and sentinels are of several connections: none says when it has begun anew.
    ...(has(client, "duplicate", "subscribe", "unref") && "isReady" in client && { listen: nodeRedisListening(client) }),
    ...(has(client, "nodeClient") && "masters" in client && { listen: nodeRedisClusterListening(client) }),
  };
}

function ioRedis(client: IoRedisClient): Commands {
  const isCluster = (client as { isCluster?: unknown }).isCluster === true;
  return {
    lag: 0,
    get: (key) => client.get(key),
    evalsha: (name, key, values) => client.evalsha(name, 1, key, ...values),
    eval: (script, key, values) => client.eval(script, 1, key, ...values),
    ...(has(client, "duplicate", "subscribe") && !isCluster && { listen: ioRedisListening(client) }),
    ...(has(client, "nodes") && isCluster && { listen: ioRedisClusterListening(client) }),
  };
}

function upstash(client: UpstashClient): Commands {
  return {
    lag: UPSTASH_LAG,
    get: (key) => client.get(key),
    evalsha: (name, key, values) => client.evalsha(name, [key], values),
    eval: (script, key, values) => client.eval(script, [key], values),
  };
}

function anyOther(client: RedisCommands): Commands {
  return {
    lag: 0,
    get: (key) => client.send("GET", [key]),
    evalsha: (name, key, values) => client.send("EVALSHA", [name, "1", key, ...values]),
    eval: (script, key, values) => client.send("EVAL", [script, "1", key, ...values]),
  };
}

function has(client: unknown, ...names: string[]): boolean {
  if ((typeof client !== "object" && typeof client !== "function") || client === null) return false;
  return names.every((name) => typeof (client as Record<string, unknown>)[name] === "function");
}
