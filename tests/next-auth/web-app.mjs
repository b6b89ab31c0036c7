// A web application on Auth.js without a framework, and a browser that keeps its cookies: what Next.js does for a session, in
// one process and at once.

import assert from "node:assert/strict";

import { Auth, skipCSRFCheck } from "@auth/core";
import { decode, encode } from "@auth/core/jwt";

const ENDPOINT = "http://app.example/api/auth/session";
const COOKIE = "authjs.session-token";
const SECRET = "a secret of this application, long enough";

/** `jwt` is the callback that is tried. */
export class WebApp {
  /** What Auth.js logged as an error. */
  errors = [];
  #config;

  constructor(jwt) {
    this.#config = {
      basePath: "/api/auth",
      callbacks: {
        jwt,
        session: ({ session, token }) => ({ ...session, accessToken: token.accessToken ?? token.access_token, error: token.error }),
      },
      logger: { error: (error) => this.errors.push(error), warn() {}, debug() {} },
      providers: [],
      secret: SECRET,
      skipCSRFCheck,
      trustHost: true,
    };
  }

  /** What a request with these cookies gets: the session, and the cookies afterwards. */
  async request(cookies) {
    return this.#answer(cookies, { headers: { cookie: header(cookies) } });
  }

  /** The page calls `update(data)`. */
  async update(cookies, data) {
    const headers = { "content-type": "application/json", cookie: header(cookies) };
    return this.#answer(cookies, { method: "POST", headers, body: JSON.stringify({ data }) });
  }

  async #answer(before, init) {
    const response = await Auth(new Request(ENDPOINT, init), this.#config);
    assert.equal(response.status, 200);
    const cookies = new Map(before);
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value === "" || /max-age=0/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    return { session: await response.json(), cookies };
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

function header(cookies) {
  return [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
}
