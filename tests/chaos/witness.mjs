// What the authorization server sees of a chaos run, for the record: who presents which token, and what the server makes of it.
//
// The record has names in the place of tokens: R1, R2, … and A1, A2, … in the order in which they were met.

import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";

export class Witness {
  #record;
  #names = new Map();
  #counts = {};
  #requests = 0;
  #request = new AsyncLocalStorage();

  constructor(server, record) {
    this.#record = record;
    for (const [event, type] of [["rotation", "rotated"], ["reuse", "reused"], ["refused", "refused"]]) {
      // A reuse is a refusal too, and was recorded as one.
      const tell = ({ session, detail }) => {
        if (type !== "refused" || detail !== "refresh token already used") record.push({ type, id: this.#request.getStore(), session, detail });
      };
      server.oracle.on(event, tell);
    }
  }

  nameOf(token, letter) {
    if (!this.#names.has(token)) this.#names.set(token, `${letter}${(this.#counts[letter] = (this.#counts[letter] ?? 0) + 1)}`);
    return this.#names.get(token);
  }

  /** Every token that was met, and its name. */
  get names() {
    return [...this.#names];
  }

  /** Records that a token has arrived. Returns the id of the request. */
  presented(context, { by, token, ...more }) {
    const id = (this.#requests += 1);
    this.#record.push({ type: "presented", id, by, token: this.nameOf(token, "R"), ...more });
    context.res.once("close", () => context.res.writableFinished || this.#record.push({ type: "hung up", id }));
    return id;
  }

  /** Runs what serves a request. */
  serving(id, serve) {
    return this.#request.run(id, serve);
  }
}

/** The form of a request, whose body stays there for whoever reads it next. Incomplete if whoever sent it has hung up. */
export async function peek(request) {
  const length = Number(request.headers["content-length"]);
  let body = Buffer.alloc(0);
  const closed = once(request, "close");
  while (body.length < length && !request.destroyed) {
    const chunk = request.read();
    if (chunk === null) await Promise.race([once(request, "readable"), closed]);
    else body = Buffer.concat([body, chunk]);
  }
  if (!request.destroyed && body.length > 0) request.unshift(body);
  return new URLSearchParams(body.toString());
}
