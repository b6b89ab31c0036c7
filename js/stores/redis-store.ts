/**
 * A store in Redis or Valkey: for all servers that share it. One entry for each key, so nothing has to be on the same node of a
 * cluster; every write compares, sets and announces in one script.
 *
 * Must not know what the values mean.
 */

import type { Store, StoredValue } from "../types.js";
import { storeFailure } from "./failure.js";
import { Hints } from "./hints.js";
import { checkLag } from "./lag.js";
import { commandsOf, type RedisClient } from "./redis-clients.js";
import { WRITE, WRITE_NAME } from "./redis-script.js";
import { freshVersion, VERSION_LENGTH } from "./version.js";

type Conditions = Parameters<Store["write"]>[2];

/** `NOSCRIPT` as Redis says it, and `NoScriptError` as valkey-glide does. */
const UNKNOWN_SCRIPT = /no_?script/i;

/** What may be different from the default. */
export interface RedisStoreOptions {
  /** The beginning of all keys and channels. Default: `refresh-coordinator:`. */
  prefix?: string;
  /**
   * For how long a read may return the previous value, in milliseconds: for a client that reads from replicas. Default: 0, and
   * 1000 for Upstash, whose databases may have several regions.
   */
  lag?: number;
}

/** A store in Redis. */
export interface RedisStore extends Store {
  readonly scope: "cluster";
  readonly lag: number;
  read(key: string): Promise<StoredValue | undefined>;
  write(key: string, value: string | undefined, conditions: Conditions): Promise<string | undefined>;
  /** Absent where the client cannot subscribe: who waits then looks again, from every 100 ms to every 2 s. */
  watch?(key: string, listener: () => void): () => void;
}

/**
 * Makes a store in Redis 4 or newer, or Valkey, for several servers, from a client that you have: `redis` (node-redis), `ioredis`,
 * `iovalkey`, `@upstash/redis`, or any object with `send(command, values)`. You connect the client, and you close it.
 *
 * With a connection or a cluster of node-redis or ioredis, changes are heard by subscription, on a connection of its own that comes
 * back by itself. Pools, sentinels, Upstash and `send` look again instead.
 *
 * Any other client is wrapped: `{ send: (command, values) => client.customCommand([command, ...values]) }` is all that
 * `@valkey/valkey-glide` needs, also with its `GlideClusterClient`.
 *
 * `read` and `write` reject with a `StoreError` (`store-threw`) when the client does: then the outcome is unknown, and the coordinator
 * looks again. Its message carries the client's code (`ECONNREFUSED`, `READONLY`) and never a value.
 *
 * Redis must keep what it was told: `appendonly yes`, and `maxmemory-policy noeviction`. A failover to a replica that lacks the last
 * write can cost a session its refresh token. Session mode needs the option `sealKey`.
 *
 * @throws TypeError if the client is of no shape that is known, or an option is wrong.
 * @example
 * ```ts
 * import { createClient } from "redis";
 * import { redisStore } from "refresh-coordinator/stores/redis";
 * const client = await createClient({ url: process.env.REDIS_URL }).on("error", console.error).connect();
 * const auth = new RefreshCoordinator({ ...options, store: redisStore(client), sealKey: process.env.SEAL_KEY });
 * ```
 */
export function redisStore(client: RedisClient, { prefix = "refresh-coordinator:", lag }: RedisStoreOptions = {}): RedisStore {
  const commands = commandsOf(client);
  if (typeof prefix !== "string") throw new TypeError("`prefix` must be a string");
  if (lag !== undefined) checkLag(lag);
  /** In braces: whatever belongs to a key has its place in the cluster beside it. */
  const nameOf = (key: string) => `${prefix}{${key}}`;
  const keyOf = (name: string) => name.slice(prefix.length + 1, -1);

  async function read(key: string): Promise<StoredValue | undefined> {
    let entry: string | null;
    try {
      entry = textOf(await commands.get(nameOf(key)));
    } catch (error) {
      throw storeFailure("Redis could not be read", error, undefined);
    }
    if (entry === null) return undefined;
    return { version: entry.slice(0, VERSION_LENGTH), value: entry.slice(VERSION_LENGTH + 1) };
  }

  async function write(key: string, value: string | undefined, { ifVersion, ttl }: Conditions): Promise<string | undefined> {
    if (typeof ifVersion !== "string" && ifVersion !== null) throw new TypeError("`ifVersion` must be a version, or null");
    // No version looks like that, and to the script it would mean that nothing is there.
    if (ifVersion === "") return undefined;
    const version = await freshVersion();
    const entry = value === undefined ? "" : `${version} ${value}`;
    const life = ttl === undefined ? "" : String(Math.max(1, Math.ceil(ttl)));
    const name = nameOf(key);
    try {
      return isWritten(await run(name, [ifVersion ?? "", version, entry, life, name])) ? version : undefined;
    } catch (error) {
      throw storeFailure("Redis did not say that it was written", error, value);
    }
  }

  /** By its name; a server that does not know it yet, or no longer, has run nothing, and is told the whole. */
  async function run(name: string, values: string[]): Promise<unknown> {
    try {
      return await commands.evalsha(WRITE_NAME, name, values);
    } catch (error) {
      if (!UNKNOWN_SCRIPT.test(String((error as Error | undefined)?.message))) throw error;
      return commands.eval(WRITE, name, values);
    }
  }

  const { listen } = commands;
  const hints =
    listen &&
    new Hints((ears, keys) => {
      const { add, remove, ...listening } = listen(
        { heard: (channel) => ears.heard(keyOf(channel)), begun: (channel) => ears.begun(channel && keyOf(channel)) },
        () => Array.from(keys(), nameOf),
      );
      return { ...listening, add: (key) => add?.(nameOf(key)), remove: (key) => remove?.(nameOf(key)) };
    });

  return { scope: "cluster", lag: lag ?? commands.lag, read, write, ...(hints && { watch: hints.watch }) };
}

// What is no reply of Redis must not be taken for "nothing is there": a coordinator would believe it.

/** A reply of text, also from a client that was told to return bytes. */
function textOf(reply: unknown): string | null {
  if (reply instanceof Uint8Array) return new TextDecoder().decode(reply);
  if (reply === null || (typeof reply === "string" && reply[VERSION_LENGTH] === " ")) return reply;
  throw new TypeError("an entry is there that this store has not written, or the client makes something else of it");
}

/** What the script answers. */
function isWritten(reply: unknown): boolean {
  const text = typeof reply === "object" ? undefined : String(reply);
  if (text === "1" || text === "0") return text === "1";
  throw new TypeError("the client returned something else than what the script answers");
}
