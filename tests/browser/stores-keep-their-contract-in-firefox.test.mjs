// The stores of pages in Firefox, in ordinary windows and in private ones: the contract of all stores.

import { after, before, describe, test } from "node:test";

import puppeteer from "puppeteer-core";

import { listen } from "../authorization-server/listen.mjs";
import { contract } from "../stores/contract.mjs";
import { required } from "./executable.mjs";
import { servePages } from "./served.mjs";

const STORES = {
  indexedDbStore: {},
  "indexedDbStore, sealed": { sealed: true },
  webStorageStore: {},
};

for (const [windows, preferences] of Object.entries({ ordinary: {}, private: { "browser.privatebrowsing.autostart": true } })) {
  describe(`${windows} windows`, () => {
    let browser;
    before(async () => {
      browser = await puppeteer.launch({ browser: "firefox", executablePath: required("FIREFOX"), extraPrefsFirefox: preferences });
    });
    after(() => browser?.close());

    for (const [name, options] of Object.entries(STORES)) {
      test(`${name} keeps the contract`, async (t) => {
        // A site of its own has storage of its own.
        const site = await listen(servePages());
        t.after(() => site.close());
        const page = await browser.newPage();
        t.after(() => page.close());
        await page.goto(site.origin);
        for (const sentence of Object.keys(contract)) {
          await page.evaluate(
            async (name, options, sentence) => {
              const [{ contract }, stores] = await Promise.all([import("/tests/stores/contract.mjs"), import("/pkg/stores/web.js")]);
              const database = sentence;
              await contract[sentence](() => {
                if (name !== "webStorageStore") return stores.indexedDbStore({ ...options, database });
                const made = new Map();
                const of = (key) => {
                  if (!made.has(key)) made.set(key, stores.webStorageStore({ ...options, database, key: `item of ${key}` }));
                  return made.get(key);
                };
                return { read: (key) => of(key).read(key), write: (key, ...rest) => of(key).write(key, ...rest) };
              });
            },
            name,
            options,
            sentence,
          );
        }
      });
    }
  });
}
