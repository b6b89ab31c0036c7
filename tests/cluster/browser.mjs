// One browser with one session: a cookie jar, and requests that all carry what the jar held when they began.

import { setTimeout as sleep } from "node:timers/promises";

import { Random } from "../chaos/random.mjs";
import { cookieSet, opened, sealed, withCookie } from "./cookies.mjs";

/** The pause before the same is asked once more, in milliseconds. */
const PAUSE = 300;

/** By where the tokens are: in the jar, or in the store. */
const KINDS = {
  successor: {
    /** The app itself has signed in, and sends this with its response. */
    signIn: async ({ tokens }) => sealed(tokens),
    /** Late responses too are what the jar holds from then on. */
    keep: (_, response) => cookieSet(response),
    tokens: (jar) => opened(jar),
  },
  session: {
    async signIn({ name, tokens, insist }) {
      await insist(() => ({ method: "POST", headers: withCookie(name), body: JSON.stringify(tokens) }));
      return name;
    },
    keep: (jar) => jar,
    tokens: (_, body) => body,
  },
};

export class Browser {
  #run;
  #kind;
  #random;
  #jar;
  /** The newest access token that it was told of: late responses bring older ones. */
  #last;
  /** It was told that the session is over. */
  #isOver = false;
  #late = [];

  /** @param run `origin` of the proxy, `mode`, `seed`, `server`, `authority`, `record`, `expiries`, `patience` in milliseconds */
  constructor(run, number) {
    this.#run = run;
    this.#kind = KINDS[run.mode];
    this.#random = new Random(`${run.seed} ${number}`);
    this.name = `user-${number}`;
  }

  async live() {
    const { server, record, expiries } = this.#run;
    const { session, tokens } = await server.signIn();
    this.session = session;
    record.push({ type: "sign-in", session });
    // It may take a while until they are where they belong.
    const expiresAt = Date.now() + tokens.expires_in * 1_000;
    const carried = { accessToken: tokens.access_token, refreshToken: tokens.refresh_token, expiresAt };
    this.#last = carried;
    this.#jar = await this.#kind.signIn({ name: this.name, tokens: carried, insist: (request) => this.#insist(request) });
    for (let number = 1; number <= expiries && !this.#isOver; number += 1) await this.#expiry();
    await Promise.all(this.#late);
  }

  /** Asks once more, when all is quiet: everything goes on by itself. */
  async lookAgain() {
    await this.#insist(() => this.#request(this.#jar));
  }

  /** The access token ends; several requests notice it at once, some of them late. */
  async #expiry() {
    const random = this.#random;
    const lifetime = this.#run.lifetime * 1_000;
    await sleep(Math.max(0, this.#last.expiresAt - Date.now()) + random.share() * lifetime * 0.25);
    const old = { jar: this.#jar, accessToken: this.#last.accessToken };
    const requests = Array.from({ length: random.between(2, 5) }, () => this.#ask(this.#request(old.jar, old.accessToken)));
    if (random.share() < 0.5) {
      const ms = random.share() * lifetime * 0.5;
      this.#late.push(Promise.all(requests).then(() => sleep(ms)).then(() => this.#ask(this.#request(old.jar, old.accessToken))));
    }
    if ((await Promise.all(requests)).every((well) => !well)) await this.#insist(() => this.#request(this.#jar));
  }

  /** In session mode one of two says that the access token was refused. */
  #request(jar, rejected) {
    const says = this.#run.mode === "session" && rejected !== undefined && this.#random.share() < 0.5;
    return { headers: { ...withCookie(jar), ...(says && { rejected }) } };
  }

  /** Asks until it is told something: that all is well, or that the session is over. */
  async #insist(request) {
    const until = Date.now() + this.#run.patience;
    while (!(await this.#ask(request())) && !this.#isOver) {
      if (Date.now() > until) {
        this.#run.record.push({ type: "silent", session: this.session });
        return;
      }
      await sleep(PAUSE + this.#random.share() * PAUSE);
    }
  }

  /** One request. Was all well? */
  async #ask(init) {
    const { origin, record, authority, server } = this.#run;
    const began = Date.now();
    let response, body;
    try {
      response = await fetch(origin, init);
      body = await response.json();
    } catch (error) {
      record.push({ type: "told", session: this.session, error: { name: "no response", code: error.cause?.code, retryable: true } });
      return false;
    }
    const ms = Date.now() - began;
    if (!response.ok) {
      const { name, code, reason, retryable, signInRequired, message } = body.error;
      record.push({ type: "told", session: this.session, by: body.place, error: { name, code, reason, retryable, message }, ms });
      this.#isOver ||= signInRequired;
      return false;
    }
    this.#jar = this.#kind.keep(this.#jar, response);
    const { accessToken, expiresAt } = this.#kind.tokens(this.#jar, body);
    if (expiresAt > this.#last.expiresAt) this.#last = { accessToken, expiresAt };
    const active = await server.isActive(accessToken);
    // Or it has ended on its way here: the server counts in whole seconds.
    const good = active || expiresAt - 1_000 <= Date.now();
    record.push({ type: "told", session: this.session, by: body.place, token: authority.nameOf(accessToken, "A"), of: server.oracle.sessionOf(accessToken), good, ms });
    return true;
  }
}
