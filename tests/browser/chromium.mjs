// Pages of one origin in a stock Chromium, with the built package at /pkg/ and the tests' own modules at /tests/.

import { after, before } from "node:test";

import { chromium } from "playwright-core";

import { required } from "./executable.mjs";
import { servePages } from "./served.mjs";

let browser;
let server;

before(async () => {
  server = await listening();
  browser = await chromium.launch({
    executablePath: required("CHROMIUM"),
    // What is called .test is here too, but over http it is no secure context.
    args: ["--no-sandbox", "--host-resolver-rules=MAP *.test 127.0.0.1"],
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

/** The same pages by a name that is not this machine's. */
export const insecureOrigin = () => `http://app.test:${server.address().port}`;

/** A tab. An exception that nobody catches in it fails the test. `path` may name another origin. */
export async function tab(t, context, path = "/") {
  const page = await context.newPage();
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error));
  t.after(() => {
    if (wrong.length > 0) throw new AggregateError(wrong, `uncaught in a page: ${wrong[0].message}`);
  });
  await page.goto(new URL(path, origin()).href);
  return page;
}

/** Talks to the browser about a page, for what pages cannot do themselves. */
export const devtools = (page) => page.context().newCDPSession(page);

async function listening() {
  const pages = servePages();
  await new Promise((resolve) => pages.listen(0, "127.0.0.1", resolve));
  return pages;
}
