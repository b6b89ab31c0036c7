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
      // Whoever was put ahead of the time that it wanted to sleep until.
      if (ms <= 0) return resolve();
      const sleeper = { until: elapsed + ms, resolve };
      sleepers.add(sleeper);
      const abandon = () => sleepers.delete(sleeper) && reject(signal.reason);
      signal?.addEventListener("abort", abandon, { once: true });
    }),
});

/** Waits until so many sleep for so long from now on. */
export async function asleep(count, ms) {
  while ([...sleepers].filter(({ until }) => until === elapsed + ms).length < count) await new Promise((later) => setTimeout(later));
}

export function putAhead(ms) {
  elapsed += ms;
  for (const sleeper of [...sleepers]) {
    if (sleeper.until <= elapsed && sleepers.delete(sleeper)) sleeper.resolve();
  }
}
