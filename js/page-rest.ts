/**
 * A page that rests: in the back/forward cache, or frozen in the background. Nothing of it runs, and what it held when it went to
 * rest it goes on holding. In Chromium others wait in vain for its lock, in WebKit for its transactions. So it lets go before.
 */

/** What a page does when it goes to rest. `frozen`: it stays where it is, and its requests go on. */
type Listener = (frozen: boolean) => void;

let resting: Promise<void> | undefined;
let wakeUp: (() => void) | undefined;
let watching = false;
const listeners = new Set<Listener>();

/** Calls the listener in the last task before the page may go to rest. Returns a function that ends it. */
export function onRest(listener: Listener): () => void {
  watch();
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Settled when the page is there again. `undefined` if it is not at rest. */
export function rest(): Promise<void> | undefined {
  watch();
  return resting;
}

/** Once for all: what listens to the page is never more than four functions. */
function watch(): void {
  if (watching) return;
  watching = true;
  const sleep = (frozen: boolean) => {
    resting ??= new Promise((resolve) => (wakeUp = resolve));
    for (const listener of [...listeners]) listener(frozen);
  };
  const wake = () => {
    resting = undefined;
    wakeUp?.();
  };
  // Some hosts have no page that could rest.
  const { document } = globalThis as { document?: Document };
  globalThis.addEventListener?.("pagehide", ({ persisted }) => persisted && sleep(false));
  globalThis.addEventListener?.("pageshow", wake);
  document?.addEventListener?.("freeze", () => sleep(true));
  document?.addEventListener?.("resume", wake);
}
