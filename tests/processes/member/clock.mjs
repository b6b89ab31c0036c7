// The clock of a process in which time passes as a test wants: it is in a file, and so passes for all at once.
//
// Two numbers are in it: what the wall clock and what the monotonic clock are ahead by, in milliseconds.

import { openSync, readSync } from "node:fs";

export function clockIn(path) {
  const file = openSync(path, "r");
  const ahead = new Float64Array(2);
  const look = () => readSync(file, new Uint8Array(ahead.buffer), 0, 16, 0);
  const now = () => (look(), Date.now() + ahead[0]);
  const monotonic = () => (look(), performance.now() + ahead[1]);
  const sleepers = new Set();

  /** Wakes those whose time has come. */
  const wake = () => {
    for (const { until, end } of sleepers) if (monotonic() >= until) end();
  };

  const sleep = (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const timer = setTimeout(() => end(), ms);
      const end = (settle = resolve) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
        sleepers.delete(sleeper);
        settle();
      };
      const abort = () => end(() => reject(signal.reason));
      const sleeper = { until: monotonic() + ms, end: () => end() };
      signal.addEventListener("abort", abort, { once: true });
      sleepers.add(sleeper);
    });

  return { now, monotonic, sleep, wake };
}
