// A page of one site in frames of others, as it is in every browser that gives each top-level site a partition of its own.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import puppeteer from "puppeteer-core";

import { strict } from "../../authorization-server/personalities.mjs";
import { startAuthorizationServer } from "../../authorization-server/provider.mjs";
import { begin, calls } from "../coordinators.mjs";
import { servePages } from "../served.mjs";

/** Runs them in a browser that puppeteer starts with these options. */
export function testPartitions(launchOptions) {
  let browser;
  let pages;
  before(async () => {
    pages = servePages();
    await new Promise((resolve) => pages.listen(0, "127.0.0.1", resolve));
    browser = await puppeteer.launch(launchOptions);
  });
  after(async () => {
    await browser?.close();
    pages?.closeAllConnections();
    pages?.close();
  });

  // Names that end so are this machine, each is a site of its own, and all are secure contexts.
  const site = (name) => `http://${name}.localhost:${pages.address().port}/`;

  /** A tab of a site. */
  async function tab(t, name) {
    const page = await browser.newPage();
    t.after(() => page.close());
    await page.goto(site(name));
    return page;
  }

  /** The widget's page, in a frame of a tab. */
  async function widgetIn(page) {
    await page.evaluate(
      (src) =>
        new Promise((resolve) => {
          const frame = Object.assign(document.createElement("iframe"), { src, onload: resolve });
          document.body.append(frame);
        }),
      site("widget"),
    );
    const frame = page.frames().find((frame) => frame.url() === site("widget"));
    assert.notEqual(frame, undefined);
    return frame;
  }

  /** A coordinator there, which hears of everything from the beginning. */
  async function started(server, where) {
    await where.evaluate(() => void (globalThis.events = []));
    return begin(where, server);
  }

  test("a frame shares its session with itself in tabs of the same site, and with nothing elsewhere", async (t) => {
    const server = await startAuthorizationServer(strict, { accessTokenLifetime: 3_600 });
    t.after(() => server.close());
    const here = [];
    for (let number = 0; number < 3; number += 1) here.push(await started(server, await widgetIn(await tab(t, "one"))));
    const [elsewhere, alone] = [await started(server, await widgetIn(await tab(t, "two"))), await started(server, await tab(t, "widget"))];

    const begun = await server.signIn();
    await here[0].evaluate((refresh_token) => auth.setTokens({ refresh_token }).then(() => {}), begun.tokens.refresh_token);
    const tokens = new Set((await Promise.all(here.map((frame) => calls(frame, 5)))).flat());
    assert.equal(tokens.size, 1, [...tokens].join(", "));
    assert.equal(await server.sessionOf([...tokens][0]), begun.session);
    assert.equal(server.oracle.counts(begun.session).rotations, 1);

    for (const where of [elsewhere, alone]) assert.deepEqual(await calls(where, 5), ["NoSessionError no-session"]);
    // Each signs in for itself, and ends only its own.
    for (const where of [elsewhere, alone]) {
      const own = await server.signIn();
      await where.evaluate((refresh_token) => auth.setTokens({ refresh_token }).then(() => {}), own.tokens.refresh_token);
      const [token] = await calls(where, 5);
      assert.equal(await server.sessionOf(token), own.session);
      assert.equal(server.oracle.counts(own.session).rotations, 1);
      assert.deepEqual(await where.evaluate(() => auth.signOut()), { revoked: true });
      assert.equal(await server.hasSession(own.session), false);
    }
    assert.equal(await server.hasSession(begun.session), true);
    assert.deepEqual(await Promise.all(here.map((frame) => calls(frame, 1))), Array(3).fill([...tokens]));
    assert.equal(server.oracle.presentations, 3);

    // What is partitioned works: nothing is missing.
    for (const where of [...here, elsewhere, alone]) {
      assert.equal(await where.evaluate(() => isSecureContext && events.some(({ type }) => type === "degraded")), false);
    }
  });
}
