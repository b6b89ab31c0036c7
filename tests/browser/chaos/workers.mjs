// The workers of a chaos run, as its pages start them. To start one that is there does nothing.

/** Ends with the page that has it. */
export const startDedicated = (page) =>
  page.evaluate(() => {
    globalThis.worker ??= new Worker("/tests/browser/chaos/worker.mjs?tab=dedicated", { type: "module" });
    worker.postMessage("wake up");
  });

/** Lives for as long as one of the pages that share it. */
export const startShared = (pages) =>
  Promise.all(
    pages.map((page) =>
      page?.evaluate(() => {
        globalThis.shared = new SharedWorker("/tests/browser/chaos/worker.mjs?tab=shared", { type: "module" });
      }),
    ),
  );

/** Lives for as long as the browser likes, and wakes up when a page writes to it. */
export const startService = (page) =>
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
