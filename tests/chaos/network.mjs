// What becomes of the requests to the token endpoint during a chaos run, and the record of it.

import { cutOff, delay, dropBefore, Hold, unavailable } from "../authorization-server/faults.mjs";
import { peek, Witness } from "./witness.mjs";

export class Network {
  #record;
  #server;
  #witness;
  #sockets = new Map();
  #offline = new Set();
  #underWay = new Set();
  /** What the next request meets that is the first of an expiry. */
  #first;

  constructor(server, record) {
    this.#record = record;
    this.#server = server;
    this.#witness = new Witness(server, record);
    server.next(Infinity, (context, next) => {
      const met = this.#meet(context, next).finally(() => this.#underWay.delete(met));
      this.#underWay.add(met);
      return met;
    });
  }

  /**
   * What the first request from now on meets, and where it waits until it is released: `at` the "request", before the server has
   * looked at it, or `at` the "reply". `arrival` is settled with the place that it comes from.
   */
  begin(fate, at) {
    const hold = new Hold();
    const arrival = new Promise((arrived) => (this.#first = { fate, at, hold, arrived }));
    return { arrival, release: () => hold.release() };
  }

  /** Nobody in this place reaches the server, nor is reached by it, until it is told otherwise. */
  cut(place) {
    this.#offline.add(place);
    for (const socket of this.#sockets.get(place) ?? []) socket.destroy();
  }

  mend(place) {
    this.#offline.delete(place);
  }

  /** Settled when the server is done with every request, also with those whose senders are gone. */
  async atRest() {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  nameOf(token, letter) {
    return this.#witness.nameOf(token, letter);
  }

  /** The access tokens, of those that were named so, which the server accepts. */
  async active(names) {
    const tokens = this.#witness.names.filter(([, name]) => names.includes(name));
    const active = await Promise.all(tokens.map(([token]) => this.#server.isActive(token)));
    return tokens.filter((_, index) => active[index]).map(([, name]) => name);
  }

  async #meet(context, next) {
    const form = await peek(context.req);
    const by = form.get("presenter");
    // It hung up before the request was complete.
    if (by === null) return next();
    const id = this.#witness.presented(context, { by, token: form.get("refresh_token"), connection: context.req.socket.remotePort });
    if (this.#offline.has(by)) return dropBefore()(context, next);
    const sockets = this.#sockets.get(by) ?? new Set();
    this.#sockets.set(by, sockets.add(context.req.socket));
    const first = this.#first;
    this.#first = undefined;
    first?.arrived(by);
    // Whoever has hung up in the meantime has taken the body along.
    const serve = () => (context.req.destroyed ? dropBefore()(context) : this.#witness.serving(id, next));
    try {
      await (first ? this.#suffer(first, id, context, serve) : serve());
    } finally {
      sockets.delete(context.req.socket);
    }
  }

  async #suffer({ fate, at, hold }, id, context, serve) {
    const faults = { late: () => delay(fate.ms), unavailable: () => unavailable(), "request lost": dropBefore, "reply lost": cutOff };
    const fault = faults[fate.is]?.() ?? ((_context, next) => next());
    if (at === "reply") return hold.after()(context, () => fault(context, serve));
    await hold.before()(context, () => fault(context, serve));
    if (fate.is === "reply lost") this.#record.push({ type: "lost", id });
  }
}
