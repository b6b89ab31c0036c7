// A real BroadcastChannel that lets a test wait for what arrives on it. It has no `unref`: the test is to stay alive for it.

import { EventEmitter, once } from "node:events";

export class AnnouncedChannel {
  /** How many messages the listeners have been given. */
  arrived = 0;

  #channel;
  #bell = new EventEmitter();
  #wrapped = new Map();

  constructor(t, name) {
    this.#channel = new BroadcastChannel(name);
    t.after(() => this.#channel.close());
  }

  postMessage(message) {
    this.#channel.postMessage(message);
  }

  addEventListener(type, listener) {
    const wrapped = (event) => {
      listener(event);
      this.arrived += 1;
      this.#bell.emit("message");
    };
    this.#wrapped.set(listener, wrapped);
    this.#channel.addEventListener(type, wrapped);
  }

  removeEventListener(type, listener) {
    this.#channel.removeEventListener(type, this.#wrapped.get(listener));
  }

  /** Does something, and waits until so many messages more have arrived here. */
  async after(work, count = 1) {
    const wanted = this.arrived + count;
    const done = await work();
    while (this.arrived < wanted) await once(this.#bell, "message");
    return done;
  }
}
