// Stock Chromium, driven by playwright-core over the DevTools protocol.

import { chromium as playwright } from "playwright-core";

import { required } from "../../programs.mjs";

export const chromium = {
  name: "Chromium",
  can: { kill: true, goOnAfterKill: true, freeze: true },
  launch,
};

async function launch() {
  const browser = await playwright.launch({
    executablePath: required("CHROMIUM"),
    args: ["--no-sandbox"],
    // Playwright switches it off, users do not.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
  const profile = await browser.newContext();
  const devtools = await browser.newBrowserCDPSession();
  return {
    async open(url) {
      const page = await profile.newPage();
      await page.goto(url, { waitUntil: "commit" });
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

function driven(page) {
  const lifecycle = async (state) => {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Page.setWebLifecycleState", { state });
    await devtools.detach();
  };
  return {
    navigate: (url) => page.goto(url, { waitUntil: "commit" }),
    reload: () => page.reload({ waitUntil: "commit" }),
    back: () => page.goBack({ waitUntil: "commit" }),
    close: () => page.close(),
    freeze: () => lifecycle("frozen"),
    thaw: () => lifecycle("active"),
  };
}
