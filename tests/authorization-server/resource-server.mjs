// An API that wants a bearer token and asks a function whether the token is good (RFC 6750).

import { createServer } from "node:http";

import { listen } from "./listen.mjs";

/** What a browser asks before it sends a request with a token. */
const preflight = { "access-control-allow-headers": "authorization, content-type", "access-control-allow-methods": "*" };

/**
 * `isGood(token)` decides. `requests` lists what came in: path, method, token and body. `challenge` and `before` can be set
 * at any time: the challenge sent with a 401, and what a request waits for. Pages of every origin may ask; which headers of the reply
 * they see is `exposed`.
 */
export async function startResourceServer(isGood) {
  const requests = [];
  const api = {
    requests,
    exposed: "",
    challenge: 'Bearer error="invalid_token"',
    before: async () => {},
    answer: (response) => response.end("orders"),
  };
  const http = createServer(async (request, response) => {
    response.setHeader("access-control-allow-origin", "*");
    if (request.method === "OPTIONS") return response.writeHead(204, preflight).end();
    response.setHeader("access-control-expose-headers", api.exposed);
    let body = "";
    for await (const chunk of request) body += chunk;
    const authorization = request.headers.authorization;
    const token = authorization?.replace(/^Bearer /, "");
    const seen = { method: request.method, path: request.url, authorization, token, body, headers: request.headers };
    const count = requests.push(seen);
    await api.before(seen, count);
    if (await isGood(token)) return api.answer(response, seen);
    response.writeHead(401, { "www-authenticate": api.challenge }).end("no");
  });
  const { origin, close } = await listen(http);
  return Object.assign(api, { origin, url: (path) => origin + path, close });
}
