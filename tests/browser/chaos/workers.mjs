// The workers of a chaos run, as its pages start them. To start one that is there does nothing.

/**
 * Ends with the page that has it, or when that goes to rest: a worker does not hear of it, and WebKit would stop it in the middle
 * of a transaction, for which all other tabs then wait.
 */
export const startDedicated = ([page]) =>
  page.evaluate(() => {
    const isNew = globalThis.worker === undefined;
    globalThis.worker ??= new Worker("/tests/browser/chaos/worker.mjs?tab=dedicated", { type: "module" });
    if (isNew) addEventListener("pagehide", () => (globalThis.worker?.terminate(), (globalThis.worker = undefined)), { once: true });
    worker.postMessage("wake up");
    return isNew;
  });

/** Lives for as long as one of the pages that share it. */
export async function startShared(pages) {
  for (const page of pages) {
    await page.evaluate(() => {
      globalThis.shared = new SharedWorker("/tests/browser/chaos/worker.mjs?tab=shared", { type: "module" });
    });
  }
}

/** Lives for as long as the browser likes, and wakes up when a page writes to it. */
export const startService = ([page]) =>
  page.evaluate(async () => {
    const options = { type: "module", scope: "/tests/browser/chaos/" };
    const registration = await navigator.serviceWorker.register("/tests/browser/chaos/service-worker.mjs?tab=service", options);
    const worker = registration.active ?? registration.waiting ?? registration.installing;
    await new Promise((resolve) => {
      const look = () => worker.state === "activated" && resolve();
      worker.addEventListener("statechange", look);
      look();
    });
    worker.postMessage("stay");
  });
