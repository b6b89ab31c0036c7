// What a bundler has made, opened in Chromium.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

import { chromium } from "playwright-core";

import { listen } from "../authorization-server/listen.mjs";
import { chromiumPath } from "../programs.mjs";

const TYPES = { ".css": "text/css", ".html": "text/html", ".js": "text/javascript" };

/** The least that the package needs (README, Requirements). */
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src http://127.0.0.1:*; img-src data:";

/** The page of a folder with the files of a site, once its scripts have run. */
export async function open(row, folder, { policy = POLICY } = {}) {
  const { origin, close } = await listen(createServer((request, response) => file(folder, policy, request, response)));
  row.after(close);
  return visit(row, origin);
}

/** An empty page. `cookies` are in the browser. */
export async function browse(row, { cookies = [] } = {}) {
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: ["--no-sandbox"] });
  row.after(() => browser.close());
  const context = await browser.newContext();
  await context.addCookies(cookies);
  return { page: await context.newPage(), host: `Chromium ${browser.version()}` };
}

/** The page at an address, once its scripts have run. `cookies` are in the browser before. */
export async function visit(row, url, { cookies } = {}) {
  const { page, host } = await browse(row, { cookies });
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
  await page.goto(url);
  try {
    await page.waitForFunction(() => "host" in globalThis);
  } catch (cause) {
    throw new Error(`the page did not come up: ${wrong.join("; ")}`, { cause });
  }
  return { page, host };
}

async function file(folder, policy, { url }, response) {
  const { pathname } = new URL(url, "http://127.0.0.1");
  const path = normalize(pathname === "/" ? "/index.html" : pathname);
  response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream");
  response.setHeader("content-security-policy", policy);
  try {
    response.end(await readFile(join(folder, path)));
  } catch {
    response.writeHead(404).end();
  }
}
