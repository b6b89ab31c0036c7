// A web application on Auth.js without a framework, and a browser that keeps its cookies: what Next.js does for a session, in
// one process and at once.

import assert from "node:assert/strict";

import { Auth, skipCSRFCheck } from "@auth/core";
import { decode, encode } from "@auth/core/jwt";

import { header, kept, signsInAt } from "../authorization-server/user-agent.mjs";

const ENDPOINT = "http://localhost/api/auth";
const COOKIE = "authjs.session-token";
const SECRET = "a secret of this application, long enough";

/** `jwt` is the callback that is tried. `issuer` is the provider to sign in with, `signOut` what is done for a sign-out. */
export class WebApp {
  /** What Auth.js logged as an error. */
  errors = [];
  #config;

  constructor(jwt, { issuer, signOut } = {}) {
    this.#config = {
      basePath: "/api/auth",
      callbacks: {
        jwt,
        session: ({ session, token }) => ({ ...session, accessToken: token.accessToken, error: token.error }),
      },
      events: { ...(signOut && { signOut }) },
      logger: { error: (error) => this.errors.push(error), warn() {}, debug() {} },
      providers: issuer === undefined ? [] : [issuer],
      secret: SECRET,
      skipCSRFCheck,
      trustHost: true,
    };
  }

  /** What a request with these cookies gets: the session, and the cookies afterwards. */
  async request(cookies) {
    const { response, cookies: after } = await this.#answer("session", cookies);
    assert.equal(response.status, 200);
    return { session: await response.json(), cookies: after };
  }

  /** The page calls `update(data)`. */
  async update(cookies, data) {
    const headers = { "content-type": "application/json" };
    const { response, cookies: after } = await this.#answer("session", cookies, { method: "POST", headers, body: JSON.stringify({ data }) });
    assert.equal(response.status, 200);
    return { session: await response.json(), cookies: after };
  }

  /** The user signs in with the provider `issuer`. Resolves with the cookies. */
  async signIn() {
    const asked = await this.#answer("signin/issuer", new Map(), { method: "POST", body: new URLSearchParams() });
    const { search } = new URL(await signsInAt(asked.response.headers.get("location")));
    const { cookies } = await this.#answer(`callback/issuer${search}`, asked.cookies);
    return cookies;
  }

  /** The user signs out. Resolves with the cookies. */
  async signOut(cookies) {
    return (await this.#answer("signout", cookies, { method: "POST", body: new URLSearchParams() })).cookies;
  }

  async #answer(path, cookies, { headers, ...init } = {}) {
    const request = new Request(`${ENDPOINT}/${path}`, { ...init, headers: { ...headers, cookie: header(cookies) } });
    const response = await Auth(request, this.#config);
    return { response, cookies: kept(cookies, response) };
  }
}

/** The cookies of a browser whose session holds this token. */
export async function cookiesWith(token) {
  return new Map([[COOKIE, await encode({ token, secret: SECRET, salt: COOKIE })]]);
}

/** The token in the cookies; nothing if the session's cookie is gone. */
export async function tokenIn(cookies) {
  const chunks = [...cookies].filter(([name]) => name === COOKIE || name.startsWith(`${COOKIE}.`));
  if (chunks.length === 0) return undefined;
  const order = ([name]) => Number(name.slice(COOKIE.length + 1) || 0);
  const value = chunks.sort((a, b) => order(a) - order(b)).map(([, chunk]) => chunk).join("");
  return decode({ token: value, secret: SECRET, salt: COOKIE });
}
