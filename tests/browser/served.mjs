// The pages of one origin: the built package at /pkg/, the tests' own modules at /tests/, and everywhere else an empty page.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SERVED = ["/pkg/", "/tests/"];
const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript" };

/** A server of such pages, not yet listening. `body` is in every page. */
export function servePages(body = "") {
  return createServer(async ({ url }, response) => {
    const path = normalize(new URL(url, "http://127.0.0.1").pathname);
    // A frame with an origin of its own asks across origins.
    response.setHeader("access-control-allow-origin", "*");
    if (!SERVED.some((folder) => path.startsWith(folder))) {
      response.setHeader("content-type", "text/html");
      return response.end(`<!doctype html><title>a page</title>${body}`);
    }
    response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream");
    try {
      response.end(await readFile(join(ROOT, path)));
    } catch {
      response.writeHead(404).end();
    }
  });
}
