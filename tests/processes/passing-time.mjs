// The time of several processes, which passes as a test wants it to: `member/clock.mjs` reads it.

import { closeSync, openSync, writeSync } from "node:fs";

export class PassingTime {
  #ahead = new Float64Array(2);
  #file;

  constructor(path) {
    this.path = path;
    this.#file = openSync(path, "w");
    this.pass(0);
  }

  /** In milliseconds. A machine that slept may have stopped the monotonic clock. */
  pass(wall, monotonic = wall) {
    this.#ahead[0] += wall;
    this.#ahead[1] += monotonic;
    writeSync(this.#file, new Uint8Array(this.#ahead.buffer), 0, 16, 0);
  }

  close() {
    closeSync(this.#file);
  }
}
