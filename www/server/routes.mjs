// What the page can ask of the demo: what the buttons do at the server, its live events, and an API that wants a bearer token.

/**
 * | request | what it does |
 * | --- | --- |
 * | `GET /demo/events` | what the authorization servers tell of themselves |
 * | `GET /demo/<half>/client` | what a client of this half must know |
 * | `POST /demo/<half>/<action>` | one of the actions of a half |
 * | `GET /api/<half>/orders` | the API: 401 unless the token is good (RFC 6750 section 3) |
 */
export function routes(halves, events) {
  return async (request, response, next) => {
    const { pathname } = new URL(request.url, "http://demo.invalid");
    const [, area, name, what] = pathname.split("/");
    if (pathname === "/demo/events") return events.listen(response);
    const half = halves.find((each) => each.name === name);
    if (half === undefined || !["demo", "api"].includes(area)) return next();
    if (area === "api") return orders(half, request, response);
    if (what === "client") return json(response, 200, half.client);
    if (request.method !== "POST" || !Object.hasOwn(half.actions, what)) return json(response, 404, { error: "not_found" });
    json(response, 200, (await half.actions[what]()) ?? {});
  };
}

async function orders(half, request, response) {
  const token = request.headers.authorization?.replace(/^Bearer /, "");
  if (await half.isGood(token)) return json(response, 200, { orders: [] });
  json(response, 401, { error: "invalid_token" }, { "www-authenticate": 'Bearer error="invalid_token"' });
}

function json(response, status, body, headers) {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store", ...headers });
  response.end(JSON.stringify(body));
}
