// What tabs announce to each other, as a tab hears it.

/** Counts, from now on, what a tab hears. To be called when its coordinator is there. */
export function listen(page) {
  return page.evaluate(() => {
    globalThis.heard = 0;
    // Opened after the coordinator's, so each message comes to the coordinator first.
    const channel = new BroadcastChannel("refresh-coordinator");
    channel.onmessage = () => {
      heard += 1;
      dispatchEvent(new Event("heard"));
    };
  });
}

/** Waits until a tab has heard so many. */
export function hears(page, count) {
  return page.evaluate(
    (count) =>
      new Promise((resolve) => {
        const look = () => heard >= count && resolve();
        addEventListener("heard", look);
        look();
      }),
    count,
  );
}

/** Makes a tab call in the very task in which it hears the next one. Returns a function that waits for what became of the call. */
export async function callAtTheNext(page) {
  await page.evaluate(() => {
    const call = (resolve) => () => resolve(auth.getAccessToken().catch((error) => error.name));
    globalThis.called = new Promise((resolve) => addEventListener("heard", call(resolve), { once: true }));
  });
  return () => page.evaluate(() => called);
}
