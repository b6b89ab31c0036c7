// A store as a user would write one, on the test's clock, that can be made to misbehave.

import { EventEmitter, once } from "node:events";

export class TestStore {
  /** In the place of `read` or `write`, as long as it is set: a function of the arguments and the honest method. */
  instead = {};
  /** All calls, in order. */
  calls = [];

  #clock;
  #rows = new Map();
  #versions = 0;
  #bell = new EventEmitter();

  constructor(clock) {
    this.#clock = clock;
  }

  read(key) {
    return this.#call("read", [key], () => {
      const row = this.#row(key);
      return row && { value: row.value, version: row.version };
    });
  }

  write(key, value, { ifVersion, ttl } = {}) {
    return this.#call("write", [key, value, { ifVersion, ttl }], () => {
      if ((this.#row(key)?.version ?? null) !== ifVersion) return undefined;
      const version = String((this.#versions += 1));
      if (value === undefined) this.#rows.delete(key);
      else this.#rows.set(key, { value, version, ends: ttl === undefined ? Infinity : this.#clock.now() + ttl });
      return version;
    });
  }

  /** Everything that is stored, by key. */
  get contents() {
    return Object.fromEntries([...this.#rows.keys()].filter((key) => this.#row(key)).map((key) => [key, this.#rows.get(key).value]));
  }

  /** Waits until there were so many calls in all. */
  async called(count) {
    while (this.calls.length < count) await once(this.#bell, "call");
  }

  /** Puts a value there behind everybody's back. */
  plant(key, value) {
    this.#rows.set(key, { value, version: String((this.#versions += 1)), ends: Infinity });
  }

  #row(key) {
    const row = this.#rows.get(key);
    return row && row.ends > this.#clock.now() ? row : undefined;
  }

  #call(method, args, honest) {
    this.calls.push([method, ...args]);
    this.#bell.emit("call");
    const { [method]: instead } = this.instead;
    return instead ? instead(honest, ...args) : honest();
  }
}
