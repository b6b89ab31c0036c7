// An app's own storage, in the app's own format: one text, as a keyring or a file holds it. No compare-and-set, no versions.

import { appStore } from "refresh-coordinator/stores/app";

import { Clock } from "../node/clock.mjs";
import { LIFETIME, authorizationServer, coordinator } from "../node/scene.mjs";

export class Keyring {
  /** What lies there; `undefined` is nothing. */
  text;
  /** Names of the calls, in order. */
  calls = [];
  /** In the place of a call, as long as it is set: a function of the argument and the honest call. */
  instead = {};

  /** The session, as the app's other code would read it. */
  get session() {
    return this.text === undefined ? undefined : JSON.parse(this.text);
  }

  /** Another process stores a session, in the same format. */
  set session(session) {
    this.text = JSON.stringify(session);
  }

  load = () => this.#call("load", () => this.text && this.session);
  save = ({ accessToken, refreshToken, expiresAt, tokenType }) =>
    this.#call("save", () => void (this.session = { accessToken, refreshToken, expiresAt, tokenType }));
  clear = () => this.#call("clear", () => void (this.text = undefined));

  async #call(name, honest) {
    this.calls.push(name);
    return this.instead[name] ? this.instead[name](honest) : honest();
  }
}

/** A tool that was signed in when it ended: its session lies in the keyring, and the access token has that long to live. */
export async function tool(t, { left = 0, lag = 0, personality, keyring = new Keyring(), ...options } = {}) {
  const [server, clock] = [await authorizationServer(t, personality), new Clock()];
  const { tokens, session } = await server.signIn();
  keyring.session = {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token,
    expiresAt: clock.now() + left,
    tokenType: "Bearer",
  };
  const { load, save, clear } = keyring;
  const start = (more) => coordinator(t, server, { clock, retries: 0, store: appStore({ load, save, clear, lag }), ...options, ...more });
  return { server, clock, keyring, tokens, session, start, auth: start() };
}

export { LIFETIME };
