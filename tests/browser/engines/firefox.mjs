// Stock Firefox, driven by puppeteer-core over WebDriver BiDi.

import puppeteer from "puppeteer-core";

import { required } from "../../programs.mjs";
import { descendants } from "./processes.mjs";

export const firefox = {
  name: "Firefox",
  can: { kill: true, goOnAfterKill: true, freeze: false, offline: false },
  restingWorker: "ended",
  launch,
};

/** More than there are tabs at once. */
const PROCESSES = 64;

async function launch() {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: required("FIREFOX"),
    extraPrefsFirefox: {
      // By default the tabs of a site share processes: one kill would take several.
      "dom.ipc.processCount.webIsolated": PROCESSES,
      "dom.ipc.processCount": PROCESSES,
    },
  });
  return {
    async open(url) {
      const page = await browser.newPage();
      await page.goto(url);
      return driven(page);
    },
    processes: async () => descendants(browser.process().pid),
    isSpent: () => false,
    // An open question: see ENGINES.md.
    knownFault: ({ message }) => message.endsWith("closure invoked recursively or after being dropped"),
    close: () => browser.close(),
  };
}

const driven = (page) => ({
  navigate: (url) => page.goto(url),
  reload: () => page.reload(),
  back: () => page.goBack(),
  close: () => page.close(),
});
