// A proxy before the instances of an app: each request goes to the next of them. Like others it asks another one only if nobody listens
// there; who breaks off has perhaps done something, and the browser is told so.

import { Agent, createServer, request } from "node:http";

import { listen } from "../authorization-server/listen.mjs";

/** So long it waits for an answer, in milliseconds. */
const PATIENCE = 60_000;

/** @param ports of those who are there, asked for each request */
export async function startRoundRobin(ports) {
  const agent = new Agent({ keepAlive: true });
  let turn = 0;
  const http = createServer(async (incoming, outgoing) => {
    const parts = [];
    for await (const part of incoming) parts.push(part);
    const forward = (left) => {
      const all = ports();
      const port = all[(turn += 1) % all.length];
      const { method, url: path, headers } = incoming;
      const onward = request({ agent, host: "127.0.0.1", port, method, path, headers, timeout: PATIENCE }, (answer) => {
        outgoing.writeHead(answer.statusCode, answer.headers);
        answer.pipe(outgoing).on("error", () => {});
        answer.once("error", () => outgoing.destroy());
      });
      onward.once("timeout", () => onward.destroy(new Error("timeout")));
      onward.once("error", (error) => {
        if (error.code === "ECONNREFUSED" && left > 0) return forward(left - 1);
        if (outgoing.headersSent) outgoing.destroy();
        else outgoing.writeHead(502, { "content-type": "application/json" }).end(JSON.stringify({ error: { name: "BadGateway", code: error.code ?? error.message, retryable: true } }));
      });
      onward.end(Buffer.concat(parts));
    };
    forward(ports().length);
  });
  const { origin, close } = await listen(http);
  return { origin, close: () => (agent.destroy(), close()) };
}
