// The same client with the package: what is left to write is the call.

import { RefreshCoordinator } from "refresh-coordinator";

export class Coordinated {
  static title = "refresh-coordinator";

  #auth;

  constructor({ server, clientId, now, grace = 0 }) {
    const clock = { now, monotonic: now, sleep };
    const { tokenEndpoint, revocationEndpoint } = server;
    this.#auth = new RefreshCoordinator({ clientId, tokenEndpoint, revocationEndpoint, grace, clock });
  }

  static async signedIn({ tokens, ...options }) {
    const client = new Coordinated(options);
    await client.#auth.setTokens(tokens);
    return client;
  }

  getAccessToken() {
    return this.#auth.getAccessToken();
  }

  renew({ refresh_token }) {
    return this.#auth.renew({ refresh_token });
  }

  signOut() {
    return this.#auth.signOut();
  }

  close() {
    this.#auth.close();
  }
}

function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)));
  });
}
