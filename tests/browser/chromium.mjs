// Pages of one origin in a stock Chromium, with the built package at /pkg/ and the tests' own modules at /tests/.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before } from "node:test";

import { chromium } from "playwright-core";

import { chromiumPath } from "./executable.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SERVED = ["/pkg/", "/tests/"];
const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript" };

let browser;
let server;

before(async () => {
  server = await listening();
  browser = await chromium.launch({
    executablePath: executable(),
    args: ["--no-sandbox"],
    // Playwright switches it off, users do not.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
});

after(async () => {
  await browser?.close();
  server?.close();
});

/** The origin of all pages. */
export const origin = () => `http://127.0.0.1:${server.address().port}`;

/** A browser with nothing stored. `prepare` runs in every page before anything else. */
export async function profile(t, { prepare } = {}) {
  const context = await browser.newContext();
  t.after(() => context.close());
  if (prepare) await context.addInitScript(prepare);
  return context;
}

/** A tab. An exception that nobody catches in it fails the test. */
export async function tab(t, context, path = "/") {
  const page = await context.newPage();
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error));
  t.after(() => {
    if (wrong.length > 0) throw new AggregateError(wrong, `uncaught in a page: ${wrong[0].message}`);
  });
  await page.goto(origin() + path);
  return page;
}

/** Talks to the browser about a page, for what pages cannot do themselves. */
export const devtools = (page) => page.context().newCDPSession(page);

async function listening() {
  const pages = createServer(async ({ url }, response) => {
    const path = normalize(new URL(url, "http://127.0.0.1").pathname);
    // A frame with an origin of its own asks across origins.
    response.setHeader("access-control-allow-origin", "*");
    if (!SERVED.some((folder) => path.startsWith(folder))) {
      response.setHeader("content-type", "text/html");
      return response.end("<!doctype html><title>a page</title>");
    }
    response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream");
    try {
      response.end(await readFile(join(ROOT, path)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => pages.listen(0, "127.0.0.1", resolve));
  return pages;
}

function executable() {
  const path = chromiumPath();
  if (path === undefined) throw new Error("Chromium was not found: install it, or name it by the environment variable CHROMIUM");
  return path;
}
