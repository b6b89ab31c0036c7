/**
 * A page at rest in the back/forward cache: nothing of it runs, and what it held when it went to rest it goes on holding. In
 * Chromium others wait in vain for its lock, in WebKit for its transactions. So it lets go of both before.
 */

let resting: Promise<void> | undefined;
let wakeUp: (() => void) | undefined;
let watching = false;
const listeners = new Set<() => void>();

/** Calls the listener in the last task before the page may go to rest. Returns a function that ends it. */
export function onRest(listener: () => void): () => void {
  watch();
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Settled when the page is there again. `undefined` if it is not at rest. */
export function rest(): Promise<void> | undefined {
  watch();
  return resting;
}

/** Once for all: what listens to the page is never more than two functions. */
function watch(): void {
  if (watching) return;
  watching = true;
  // Some hosts have no page that could rest.
  globalThis.addEventListener?.("pagehide", ({ persisted }) => {
    if (!persisted) return;
    resting ??= new Promise((resolve) => (wakeUp = resolve));
    for (const listener of [...listeners]) listener();
  });
  globalThis.addEventListener?.("pageshow", () => {
    resting = undefined;
    wakeUp?.();
  });
}
