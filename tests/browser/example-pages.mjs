// The examples as their users serve them: package names are resolved, as every dev server does, and the settings are those of a real
// authorization server. Each has an origin of its own.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

import { listen } from "../authorization-server/listen.mjs";
import { PUBLIC_CLIENT, startAuthorizationServer } from "../authorization-server/provider.mjs";
import { servePages } from "./served.mjs";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const TYPES = { ".html": "text/html", ".js": "text/javascript" };
const PACKAGE = { "refresh-coordinator": "/pkg/index.js", "refresh-coordinator/worker": "/pkg/worker.js" };

/** An example and its authorization server, with a session of which only the refresh token is left. `body` is in every page. */
export async function startExample(t, name, personality, { body = "" } = {}) {
  const server = await startAuthorizationServer(personality, { accessTokenLifetime: 3_600 });
  t.after(() => server.close());
  const { http, replace, restore } = serveExample(name, server, body);
  const { origin, close } = await listen(http);
  t.after(close);
  const { tokens, session } = await server.signIn();
  return { server, session, origin, http, replace, restore, refreshToken: tokens.refresh_token, counts: () => server.oracle.counts(session) };
}

/** A server, not yet listening. `replace(file, text)` puts another text in the place of a file's, or nothing; `restore(file)` the file's. */
export function serveExample(name, { tokenEndpoint }, body = "") {
  const settings = `export const clientId = ${JSON.stringify(PUBLIC_CLIENT)};\nexport const tokenEndpoint = ${JSON.stringify(tokenEndpoint)};\n`;
  const replaced = new Map([["settings.js", settings]]);
  const others = servePages(body);
  const http = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, "http://127.0.0.1").pathname);
    if (path.startsWith("/pkg/") || path.startsWith("/tests/")) return others.emit("request", request, response);
    const file = path === "/" ? "index.html" : path.slice(1);
    try {
      const text = replaced.has(file) ? replaced.get(file) : await readFile(join(EXAMPLES, name, file), "utf8");
      if (text === null) throw new Error("taken away");
      response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream");
      // A dev server does not let scripts be cached either.
      response.setHeader("cache-control", "no-store");
      response.end(extname(file) === ".js" ? resolved(text) : text.replace("<body>", `<body>${body}`));
    } catch {
      response.writeHead(404).end();
    }
  });
  return { http, replace: (file, text) => replaced.set(file, text), restore: (file) => replaced.delete(file) };
}

const resolved = (text) => text.replace(/(from ")(refresh-coordinator[^"]*)(")/g, (_, before, name, after) => before + PACKAGE[name] + after);
