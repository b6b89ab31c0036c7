// The workers behind pages of Chromium, ended as the browser ends them.

import { devtools } from "./chromium.mjs";

/** Ends the shared worker of this page's origin, as when its process dies. */
export async function endSharedWorker(page) {
  const session = await page.context().browser().newBrowserCDPSession();
  const { targetInfos } = await session.send("Target.getTargets", { filter: [{}] });
  const { origin } = new URL(page.url());
  const found = targetInfos.find(({ type, url }) => type === "shared_worker" && url.startsWith(origin));
  if (!found) throw new Error(`no shared worker of ${origin} among ${targetInfos.map(({ type, url }) => `${type} ${url}`).join(", ")}`);
  const gone = new Promise((resolve) => session.on("Target.targetDestroyed", ({ targetId }) => targetId === found.targetId && resolve()));
  await session.send("Target.setDiscoverTargets", { discover: true, filter: [{}] });
  await session.send("Target.closeTarget", { targetId: found.targetId });
  await gone;
  await session.detach();
}

/** Stops the service worker of this page's origin, as the browser does when it is idle or takes too long. */
export async function stopServiceWorker(page) {
  const session = await devtools(page);
  const running = new Set();
  let changed = () => {};
  session.on("ServiceWorker.workerVersionUpdated", ({ versions }) => {
    for (const { versionId, runningStatus } of versions) {
      if (runningStatus === "stopped") running.delete(versionId);
      else running.add(versionId);
    }
    changed();
  });
  const until = async (wanted) => {
    while (!wanted()) await new Promise((resolve) => (changed = resolve));
  };
  await session.send("ServiceWorker.enable");
  await until(() => running.size > 0);
  await session.send("ServiceWorker.stopAllWorkers");
  await until(() => running.size === 0);
  await session.detach();
}
