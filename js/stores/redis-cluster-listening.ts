/**
 * Listening in a cluster of Redis: the nodes pass on to each other what is published, so a connection to any of them will do, and
 * when it is lost the next one is to another.
 *
 * What a node passes on while it has lost another one is not said again, and whoever listens there does not notice. So everybody is
 * told to look every second all the same.
 */

import {
  attempt,
  endNodeRedis,
  type IoRedisConnection,
  type Listen,
  listeningOn,
  type NodeRedisConnection,
  orEnd,
  type Subscribe,
  subscribeByIoRedis,
} from "./redis-listening.js";

/** `createCluster` of node-redis. */
interface NodeRedisCluster extends Once {
  readonly masters: readonly { readonly client?: NodeRedisConnection }[];
}

/** `Cluster` of ioredis. */
interface IoRedisCluster extends Once {
  nodes(role: "master"): readonly IoRedisConnection[];
}

interface Once {
  once(event: string, listener: () => void): unknown;
}

export const ioRedisClusterListening = (client: unknown): Listen => {
  const cluster = client as IoRedisCluster;
  const origin = async () => anyOf(await known(() => cluster.nodes("master"), cluster, "ready"));
  return neverSure(listeningOn(subscribeByIoRedis(origin)));
};

export const nodeRedisClusterListening = (client: unknown): Listen =>
  neverSure(listeningOn(subscribeByNodeRedis(client as NodeRedisCluster)));

function subscribeByNodeRedis(cluster: NodeRedisCluster): Subscribe {
  return async (heard, lost) => {
    const masters = await known(() => cluster.masters, cluster, "connect");
    const connection = anyOf(masters.flatMap(({ client }) => (client?.isReady ? [client] : []))).duplicate();
    const end = () => attempt(async () => endNodeRedis(connection));
    // It would come back to the same node.
    connection.on("error", () => {
      end();
      lost();
    });
    connection.unref();
    await orEnd(() => connection.connect(), end);
    const listener = (_: string, channel: string) => heard(channel);
    return {
      add: (...channels) => connection.subscribe(channels, listener),
      remove: (channel) => connection.unsubscribe(channel, listener),
      end,
    };
  };
}

/** The nodes, as soon as the client knows of any; the event tells. */
async function known<Node>(nodes: () => readonly Node[], cluster: Once, event: string): Promise<readonly Node[]> {
  if (nodes().length === 0) await new Promise<void>((resolve) => cluster.once(event, resolve));
  return nodes();
}

function anyOf<Node>(nodes: readonly Node[]): Node {
  const node = nodes[Math.floor(Math.random() * nodes.length)];
  if (node === undefined) throw new Error("no node of the cluster can be reached");
  return node;
}

const neverSure =
  (listen: Listen): Listen =>
  (...given) => ({ ...listen(...given), isReady: () => false });
