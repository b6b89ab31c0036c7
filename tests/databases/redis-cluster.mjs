// A real cluster of Redis, or Valkey: three masters, each with a third of the slots.

import { once } from "node:events";

import { createClient } from "redis";

import { freePort } from "../free-port.mjs";
import { required } from "../programs.mjs";
import { ServerProcess } from "./server-process.mjs";

const MASTERS = 3;
const SLOTS = 16_384;

/** Starts one that ends with the test. When a node dies the others serve what is theirs. */
export async function startRedisCluster(t) {
  const nodes = await Promise.all(Array.from({ length: MASTERS }, () => startNode(t)));
  const [first] = nodes;
  for (const [index, node] of nodes.entries()) {
    const [from, to] = [index, index + 1].map((share) => Math.ceil((share * SLOTS) / MASTERS));
    await node.send("CLUSTER", "ADDSLOTSRANGE", String(from), String(to - 1));
    await node.send("CLUSTER", "SET-CONFIG-EPOCH", String(index + 1));
    if (node !== first) await first.send("CLUSTER", "MEET", "127.0.0.1", String(node.port), String(node.busPort));
  }
  await allServed(nodes);
  return { nodes, url: `redis://127.0.0.1:${first.port}`, port: first.port };
}

/** Resolves when every node knows who has which slot, and that all of them are alive. */
export async function allServed(nodes) {
  for (const node of nodes) while (!(await node.send("CLUSTER", "INFO")).includes(`cluster_slots_ok:${SLOTS}`));
}

async function startNode(t) {
  const busPort = await freePort();
  const command = (port, folder) => [
    ...[required("REDIS_SERVER"), "--bind", "127.0.0.1", "--port", String(port), "--dir", folder, "--save", ""],
    ...["--cluster-enabled", "yes", "--cluster-port", String(busPort), "--cluster-announce-ip", "127.0.0.1"],
    ...["--cluster-require-full-coverage", "no"],
  ];
  const server = await ServerProcess.prepare(t, "redis-cluster", { command, ready: /Ready to accept connections/ });
  await server.start();
  const client = createClient({ url: `redis://127.0.0.1:${server.port}` }).on("error", () => {});
  await client.connect();
  t.after(() => client.destroy());
  return Object.assign(server, {
    busPort,
    /** One command to this very node. */
    async send(...command) {
      if (!client.isReady) await once(client, "ready");
      return client.sendCommand(command);
    },
  });
}
