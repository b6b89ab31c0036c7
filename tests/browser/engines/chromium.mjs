// Stock Chromium, driven by puppeteer-core over the DevTools protocol. It leaves tabs to be hidden and frozen as they would be for a
// user; playwright-core, which the other tests have, holds each of them for the one in front.

import puppeteer from "puppeteer-core";

import { required } from "../executable.mjs";

export const chromium = {
  name: "Chromium",
  can: { kill: true, goOnAfterKill: true, freeze: true, offline: true },
  restingWorker: "evicted",
  launch,
};

async function launch() {
  const browser = await puppeteer.launch({
    executablePath: required("CHROMIUM"),
    args: ["--no-sandbox"],
    // Users have it.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
  const devtools = await browser.target().createCDPSession();
  return {
    async open(url) {
      const page = await browser.newPage();
      await page.goto(url, LOADED);
      return driven(page);
    },
    async processes() {
      const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
      const renderers = processInfo.filter(({ type }) => type === "renderer");
      return new Map(renderers.map(({ id, cpuTime }) => [id, cpuTime * 1_000]));
    },
    isSpent: () => false,
    close: () => browser.close(),
  };
}

const LOADED = { waitUntil: "domcontentloaded" };

function driven(page) {
  let devtools;
  const lifecycle = async (state) => {
    devtools ??= await page.createCDPSession();
    await devtools.send("Page.setWebLifecycleState", { state });
  };
  const setOffline = async (offline) => {
    devtools ??= await page.createCDPSession();
    await devtools.send("Network.emulateNetworkConditions", { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  };
  return {
    navigate: (url) => page.goto(url, LOADED),
    reload: () => page.reload(LOADED),
    back: () => page.goBack(LOADED),
    close: () => page.close(),
    freeze: () => lifecycle("frozen"),
    thaw: () => lifecycle("active"),
    goOffline: () => setOffline(true),
    goOnline: () => setOffline(false),
  };
}
