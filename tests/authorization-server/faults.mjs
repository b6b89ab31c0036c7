// What can happen to one request on its way to the authorization server and back.
//
// Knows nothing of OAuth: a fault is given the request's context and the rest of the server as `next`.

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

/** The server answers this, and nothing else of it notices the request. */
export const answer = (status, body, headers = {}) => async (context) => {
  context.status = status;
  context.set(headers);
  context.body = body;
};

/** An error reply of the token endpoint (RFC 6749 section 5.2). */
export const oauthError = (error, status = 400, more = {}) => answer(status, { error, ...more });

export const unavailable = (headers) => answer(503, "Service Unavailable", headers);

/** `retryAfter` is in seconds, or a date. */
export const tooManyRequests = (retryAfter, headers) =>
  answer(429, { error: "slow_down" }, { "retry-after": String(retryAfter), ...headers });

/** With these headers pages of every origin may read the reply, and of its head what is named. Without them they see a broken connection. */
export const readable = (...exposed) => ({ "access-control-allow-origin": "*", "access-control-expose-headers": exposed.join(", ") });

/** The connection breaks before the server has done anything. */
export const dropBefore = () => async (context) => drop(context);

/** The server does all it has to do, and the reply is lost. */
export const dropAfter = () => async (context, next) => {
  await next();
  drop(context);
};

/**
 * The server does all it has to do, and its reply breaks off after the head. Unlike after a drop, no browser sends the request
 * again of its own accord, as they do when a connection that was in use before breaks.
 */
export const cutOff = () => async (context, next) => {
  await next();
  context.respond = false;
  context.res.writeHead(context.status, { "content-type": "application/json" });
  context.res.write("{", () => context.req.socket.destroy());
};

/** The server answers, and closes the connection after it: the next request needs another one. */
export const lastOfItsConnection = () => async (context, next) => {
  context.set("connection", "close");
  await next();
};

/** The server takes its time before it looks at the request. */
export const delay = (ms) => async (_context, next) => {
  await sleep(ms);
  await next();
};

/** The server has the request and does nothing about it until whoever sent it is gone. */
export const untilHungUp = (arrived) => async (context) => {
  const gone = once(context.res, "close");
  arrived();
  await gone;
  context.respond = false;
};

/** The request waits, before the server looks at it or before its reply leaves, until it is released. */
export class Hold {
  #arrive;
  #release;

  constructor() {
    /** Settled once the request is here. */
    this.arrived = new Promise((resolve) => (this.#arrive = resolve));
    this.released = new Promise((resolve) => (this.#release = resolve));
  }

  release() {
    this.#release();
  }

  before() {
    return async (context, next) => {
      await this.#wait();
      // Whoever has hung up in the meantime has taken the body along.
      if (context.req.destroyed) drop(context);
      else await next();
    };
  }

  after() {
    return async (_context, next) => {
      await next();
      await this.#wait();
    };
  }

  async #wait() {
    this.#arrive();
    await this.released;
  }
}

/** What is to happen to the next requests, in order. */
export class FaultQueue {
  #waiting;

  constructor(faults = []) {
    this.#waiting = faults.map((fault) => ({ fault, times: 1 }));
  }

  add(times, fault) {
    this.#waiting.push({ fault, times });
  }

  /** The fault of the next request, if one is waiting for it. */
  take() {
    const [next] = this.#waiting;
    if (next && (next.times -= 1) <= 0) this.#waiting.shift();
    return next?.fault;
  }

  clear() {
    this.#waiting = [];
  }
}

function drop(context) {
  context.respond = false;
  context.req.socket.destroy();
}
