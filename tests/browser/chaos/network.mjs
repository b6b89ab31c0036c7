// What becomes of the requests to the token endpoint during a chaos run, and the record of it.
//
// The record has names in the place of tokens: R1, R2, … and A1, A2, … in the order in which they were met.

import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";

import { cutOff, delay, dropBefore, Hold, unavailable } from "../../authorization-server/faults.mjs";

export class Network {
  #record;
  #server;
  #names = new Map();
  #request = new AsyncLocalStorage();
  #requests = 0;
  #sockets = new Map();
  #offline = new Set();
  #underWay = new Set();
  /** What the next request meets that is the first of an expiry. */
  #first;

  constructor(server, record) {
    this.#record = record;
    this.#server = server;
    server.next(Infinity, (context, next) => {
      const met = this.#meet(context, next).finally(() => this.#underWay.delete(met));
      this.#underWay.add(met);
      return met;
    });
    for (const [event, type] of [["rotation", "rotated"], ["reuse", "reused"], ["refused", "refused"]]) {
      // A reuse is a refusal too, and was recorded as one.
      const tell = ({ session, detail }) => {
        if (type !== "refused" || detail !== "refresh token already used") record.push({ type, id: this.#request.getStore(), session, detail });
      };
      server.oracle.on(event, tell);
    }
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
    const name = this.#names.get(token) ?? `${letter}${[...this.#names.values()].filter((name) => name[0] === letter).length + 1}`;
    this.#names.set(token, name);
    return name;
  }

  /** The access tokens, of those that were named so, which the server accepts. */
  async active(names) {
    const tokens = [...this.#names].filter(([, name]) => names.includes(name));
    const active = await Promise.all(tokens.map(([token]) => this.#server.isActive(token)));
    return tokens.filter((_, index) => active[index]).map(([, name]) => name);
  }

  async #meet(context, next) {
    const form = new URLSearchParams(await peek(context.req));
    const by = form.get("presenter");
    // It hung up before the request was complete.
    if (by === null) return next();
    const id = (this.#requests += 1);
    this.#record.push({ type: "presented", id, by, token: this.nameOf(form.get("refresh_token"), "R"), connection: context.req.socket.remotePort });
    context.res.once("close", () => context.res.writableFinished || this.#record.push({ type: "hung up", id }));
    if (this.#offline.has(by)) return dropBefore()(context, next);
    const sockets = this.#sockets.get(by) ?? new Set();
    this.#sockets.set(by, sockets.add(context.req.socket));
    const first = this.#first;
    this.#first = undefined;
    first?.arrived(by);
    // Whoever has hung up in the meantime has taken the body along.
    const serve = () => (context.req.destroyed ? dropBefore()(context) : this.#request.run(id, next));
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

/** The body of a request, which stays there for whoever reads it next. */
async function peek(request) {
  const length = Number(request.headers["content-length"]);
  let body = Buffer.alloc(0);
  const closed = once(request, "close");
  while (body.length < length && !request.destroyed) {
    const chunk = request.read();
    if (chunk === null) await Promise.race([once(request, "readable"), closed]);
    else body = Buffer.concat([body, chunk]);
  }
  if (!request.destroyed && body.length > 0) request.unshift(body);
  return body.toString();
}
