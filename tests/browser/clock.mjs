// A page's clock: it stands still until a test puts it ahead. Then all whose sleep is over by it wake up together, as after a
// laptop's night.

let elapsed = 0;
const sleepers = new Set();

/** `began`: what the wall clock of all tabs shows, milliseconds since the epoch. */
export const clock = (began) => ({
  now: () => began + elapsed,
  monotonic: () => elapsed,
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const sleeper = { until: elapsed + ms, resolve };
      sleepers.add(sleeper);
      const abandon = () => sleepers.delete(sleeper) && reject(signal.reason);
      signal?.addEventListener("abort", abandon, { once: true });
    }),
});

export function putAhead(ms) {
  elapsed += ms;
  for (const sleeper of [...sleepers]) {
    if (sleeper.until <= elapsed && sleepers.delete(sleeper)) sleeper.resolve();
  }
}
