/**
 * Locks within one process, in the shape of `navigator.locks`: a first-in-first-out queue per name.
 */

import type { Locks } from "../types.js";

type Options = Parameters<Locks["request"]>[1];

/** One who waits: is called when it is its turn. */
type Turn = () => void;

/** Makes locks that everybody who has this object queues for. */
export function createLocks(): Locks & { readonly scope: "context" } {
  /** Who waits behind the holder. A name without an entry is free. */
  const queues = new Map<string, Turn[]>();

  function request(name: string, options: Options, callback: (lock: unknown) => unknown): Promise<unknown> {
    const { signal, ifAvailable } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const queue = queues.get(name);
    if (queue === undefined) {
      queues.set(name, []);
      return hold(name, callback);
    }
    // Like the original, the callback is never called before `request` has returned.
    if (ifAvailable === true) return Promise.resolve(null).then(callback);
    return new Promise<unknown>((resolve, reject) => {
      const abort = () => {
        queue.splice(queue.indexOf(turn), 1);
        reject(signal?.reason);
      };
      const turn = () => {
        signal?.removeEventListener("abort", abort);
        resolve(hold(name, callback));
      };
      queue.push(turn);
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /** Runs the callback with the lock, and passes the lock on once its promise has settled, either way. */
  function hold(name: string, callback: (lock: unknown) => unknown): Promise<unknown> {
    return Promise.resolve({ name })
      .then(callback)
      .finally(() => {
        const next = queues.get(name)?.shift();
        if (next === undefined) queues.delete(name);
        else next();
      });
  }

  return { scope: "context", request };
}
