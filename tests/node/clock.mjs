// A clock that stands still until a test advances it: both clocks of a coordinator, and its timers.

import { EventEmitter, once } from "node:events";

export class Clock {
  /** Whoever wants to sleep for at most so long wakes up at once, and time has gone on: back-offs need no attention. */
  skips = 0;

  #elapsed = 0;
  #epoch;
  #sleepers = new Set();
  #bell = new EventEmitter().setMaxListeners(0);

  constructor(epoch = Date.UTC(2030, 0, 1)) {
    this.#epoch = epoch;
  }

  now() {
    return this.#epoch + this.#elapsed;
  }

  monotonic() {
    return this.#elapsed;
  }

  sleep(ms, signal) {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (ms <= this.skips) {
      this.advance(ms);
      return Promise.resolve();
    }
    const { promise, resolve, reject } = withResolvers();
    const sleeper = { ms, wakesAt: this.#elapsed + ms, resolve };
    const wakeUp = () => {
      this.#sleepers.delete(sleeper);
      reject(signal.reason);
    };
    signal?.addEventListener("abort", wakeUp, { once: true });
    this.#sleepers.add(sleeper);
    this.#bell.emit("sleep");
    return promise;
  }

  /** How long those who sleep now wanted to, shortest first. */
  get sleeping() {
    return [...this.#sleepers].map((sleeper) => sleeper.ms).sort((a, b) => a - b);
  }

  /** Waits until somebody sleeps for a time of which `wanted` is true, or exactly that long. */
  async asleep(wanted) {
    const fits = typeof wanted === "function" ? wanted : (ms) => ms === wanted;
    for (;;) {
      const found = this.sleeping.find(fits);
      if (found !== undefined) return found;
      await once(this.#bell, "sleep");
    }
  }

  /** Time goes on, and whoever has slept enough wakes up. */
  advance(ms) {
    this.#elapsed += ms;
    for (const sleeper of this.#sleepers) {
      if (sleeper.wakesAt > this.#elapsed) continue;
      this.#sleepers.delete(sleeper);
      sleeper.resolve();
    }
  }

  /** Somebody sets the wall clock. */
  jump(ms) {
    this.#epoch += ms;
  }
}

function withResolvers() {
  let resolve, reject;
  const promise = new Promise((...both) => ([resolve, reject] = both));
  return { promise, resolve, reject };
}
