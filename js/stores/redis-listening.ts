/**
 * Listening on Redis' channels: on a connection of its own, for one that has subscribed may say nothing else.
 *
 * Must not know what the channels are about. The connection keeps no process alive.
 */

import type { MaybePromise } from "../types.js";
import type { Ears, Listening } from "./hints.js";
import { keptUp } from "./kept-up.js";

export type Listen = (ears: Ears, channels: () => Iterable<string>) => Listening;

/** What both kinds of client are, as far as it is used here. */
interface Emitter {
  on(event: string, listener: (...values: never[]) => void): unknown;
  off(event: string, listener: (...values: never[]) => void): unknown;
}

/** A connection of node-redis. */
export interface NodeRedisConnection extends Emitter {
  readonly isReady: boolean;
  duplicate(): NodeRedisConnection;
  connect(): Promise<unknown>;
  subscribe(channels: string | string[], listener: (message: string, channel: string) => void): Promise<unknown>;
  unsubscribe(channel: string, listener: (message: string, channel: string) => void): Promise<unknown>;
  ping(): Promise<unknown>;
  unref(): void;
  destroy?(): void;
  disconnect(): unknown;
}

/** A connection of ioredis. */
export interface IoRedisConnection extends Emitter {
  readonly stream?: { unref?(): void };
  duplicate(options: object): IoRedisConnection;
  connect(): Promise<unknown>;
  subscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  disconnect(): void;
}

/** node-redis subscribes again by itself. */
export function nodeRedisListening(client: unknown): Listen {
  return (ears, channels) => {
    const origin = client as NodeRedisConnection;
    const connection = origin.duplicate();
    const heard = (_: string, channel: string) => ears.heard(channel);
    const add = (channel: string) =>
      attempt(async () => {
        await connection.subscribe(channel, heard);
        ears.begun(channel);
      });
    connection.on("error", nothing);
    connection.on("ready", () =>
      attempt(async () => {
        await Promise.all([...channels()].map((channel) => connection.subscribe(channel, heard)));
        // Answered after all that was subscribed to before it.
        await connection.ping();
        ears.begun();
      }),
    );
    connection.unref();
    attempt(() => connection.connect());
    const close = endingWith(origin, () => endNodeRedis(connection));
    return {
      isReady: () => connection.isReady,
      // Otherwise it is subscribed to as soon as the connection is there.
      add: (channel) => (connection.isReady ? add(channel) : undefined),
      // With the listener: without it who subscribes again before the answer is there is forgotten when it comes.
      remove: (channel) => attempt(() => connection.unsubscribe(channel, heard)),
      close,
    };
  };
}

export const endNodeRedis = (connection: NodeRedisConnection): unknown =>
  connection.destroy ? connection.destroy() : connection.disconnect();

/** With settings of our own where those of a client for commands do harm. */
const SUBSCRIBER = {
  autoResubscribe: false,
  lazyConnect: true,
  maxRetriesPerRequest: null,
  // Who only listens does not notice that a firewall has forgotten the connection.
  keepAlive: 10_000,
  // Its own timer would keep the process alive, also when the client it was made from is gone without a word.
  retryStrategy: null,
};

export const ioRedisListening = (client: unknown): Listen => listeningOn(subscribeByIoRedis(() => client as IoRedisConnection));

/** One connection that listens: calls `heard`, and `lost` when it has ended. Rejects if it cannot be made. */
export type Subscribe = (heard: (channel: string) => void, lost: () => void) => Promise<Subscription>;

export interface Subscription {
  add(...channels: string[]): Promise<unknown>;
  remove(channel: string): Promise<unknown>;
  end(): unknown;
}

/** `origin` is asked for anew each time: in a cluster it may be another node. */
export function subscribeByIoRedis(origin: () => MaybePromise<IoRedisConnection>): Subscribe {
  return async (heard, lost) => {
    const connection = (await origin()).duplicate(SUBSCRIBER);
    connection.on("error", nothing);
    connection.on("end", lost);
    connection.on("connect", () => connection.stream?.unref?.());
    connection.on("message", heard);
    const end = () => connection.disconnect();
    await orEnd(() => connection.connect(), end);
    return { add: (...channels) => connection.subscribe(...channels), remove: (channel) => connection.unsubscribe(channel), end };
  };
}

/** Listening on one connection after the other. */
export function listeningOn(subscribe: Subscribe): Listen {
  return (ears, channels) => {
    let current: Subscription | undefined;
    async function connect(lost: () => void): Promise<() => unknown> {
      const made = await subscribe(ears.heard, lost);
      // From here on it is added to.
      current = made;
      const all = [...channels()];
      if (all.length > 0) await orEnd(() => made.add(...all), made.end);
      return made.end;
    }
    const { isReady, close } = keptUp(connect, () => ears.begun());
    return {
      isReady,
      add: (channel) =>
        attempt(async () => {
          if (current === undefined) return;
          await current.add(channel);
          ears.begun(channel);
        }),
      remove: (channel) => attempt(async () => current?.remove(channel)),
      close,
    };
  };
}

/** What does not come about is ended. */
export async function orEnd(work: () => Promise<unknown>, end: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    end();
    throw error;
  }
}

/** Ends the connection, which is also done when the one it was made from ends. */
function endingWith(origin: Emitter, end: () => unknown): () => void {
  const close = () => {
    origin.off("end", close);
    attempt(async () => end());
  };
  origin.on("end", close);
  return close;
}

/** What fails here is a hint that does not come; while there is no connection, everybody looks for themselves. */
export function attempt(work: () => Promise<unknown>): void {
  void (async () => work())().catch(nothing);
}

export function nothing(): void {}
