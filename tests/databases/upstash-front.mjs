// Upstash's REST protocol in front of a real Redis: one command as an array in the body of a request, or several at `/pipeline`.

import { createServer } from "node:http";
import { text } from "node:stream/consumers";

import { createClient } from "redis";

import { listen } from "../authorization-server/listen.mjs";

/** Starts one that ends with the test. `token` is what its clients must show. */
export async function startUpstashFront(t, redisUrl, token = "a token of the front") {
  const redis = await createClient({ url: redisUrl }).on("error", () => {}).connect();
  const http = createServer(async (request, response) => {
    const answer = (status, body) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.headers.authorization !== `Bearer ${token}`) return answer(401, { error: "Unauthorized" });
    const encode = request.headers["upstash-encoding"] === "base64" ? inBase64 : (reply) => reply;
    const run = async (command) => {
      try {
        return { result: encode(await redis.sendCommand(command.map(String))) };
      } catch (error) {
        // Several addresses that refused have no message.
        return { error: error.message || error.code || error.name };
      }
    };
    const body = JSON.parse(await text(request));
    if (new URL(request.url, "http://front").pathname === "/pipeline") return answer(200, await Promise.all(body.map(run)));
    const done = await run(body);
    answer("error" in done ? 400 : 200, done);
  });
  const { origin, close } = await listen(http);
  t.after(async () => {
    await close();
    redis.destroy();
  });
  return { url: origin, token };
}

function inBase64(reply) {
  if (Array.isArray(reply)) return reply.map(inBase64);
  return typeof reply === "string" && reply !== "OK" ? Buffer.from(reply).toString("base64") : reply;
}
