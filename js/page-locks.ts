/** The Web Locks of a page or worker, which a page leaves behind when it goes to rest. */

import { onRest, rest } from "./page-rest.js";
import type { Locks, Scope } from "./types.js";

/**
 * `navigator.locks`, or `undefined` where there are none. Whether they work is for the core to find out, by a real request.
 *
 * A lock that is held when the page goes to rest in the back/forward cache is lost, as if it had been stolen: what `request`
 * returned settles at once. A frozen page keeps it, for its request may be at the server. A request that still waits leaves the
 * queue, or it would be granted the lock while nobody is there, and is made again when the page is back.
 */
export function pageLocks(): Locks | undefined {
  const locks = webLocks();
  if (locks === undefined) return undefined;
  const scope = reachOf(locks);
  return { ...(scope !== undefined && { scope }), request: (name, options, callback) => request(locks, name, options, callback) };
}

/**
 * How far locks reach that do not say so themselves. The Web Locks of Node exclude the threads of one process, and nobody in another one:
 * that one of them is free proves nothing of what several processes share.
 */
export function reachOf(locks: Locks): Scope | undefined {
  return locks.scope ?? (locks === webLocks() && isNode() ? "context" : undefined);
}

const request: (locks: Locks, ...args: Parameters<Locks["request"]>) => Promise<unknown> = async (locks, name, { signal }, callback) => {
  for (;;) {
    await rest();
    signal?.throwIfAborted();
    const leave = new AbortController();
    const withdraw = () => leave.abort(signal?.reason);
    signal?.addEventListener("abort", withdraw, { once: true });
    let left: () => void = () => {};
    let granted = false;
    let rests = false;
    const atRest = new Promise<void>((resolve) => (left = resolve));
    const stop = onRest((frozen) => {
      rests = true;
      if (!granted) leave.abort();
      else if (!frozen) left();
    });
    const hold: typeof callback = (lock) => {
      granted = true;
      return Promise.race([callback(lock), atRest]);
    };
    try {
      return await Promise.race([locks.request(name, { signal: leave.signal }, hold), atRest]);
    } catch (error) {
      if (granted || !rests || signal?.aborted) throw error;
    } finally {
      stop();
      signal?.removeEventListener("abort", withdraw);
    }
  }
};

function webLocks(): Locks | undefined {
  try {
    const { navigator } = globalThis as { navigator?: { locks?: Locks } };
    return navigator?.locks ?? undefined;
  } catch {
    return undefined;
  }
}

/** Not in what has Node in it and is a page all the same. */
function isNode(): boolean {
  return globalThis.navigator?.userAgent?.startsWith("Node.js/") === true;
}
