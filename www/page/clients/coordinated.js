// The client of the first half: the package, with nothing but what it must be told.

import { RefreshCoordinator } from "refresh-coordinator";

export class Coordinated {
  #auth;

  /** `fetch` sends, and `report(what)` says what the client does: both only so that the page can show it. */
  constructor({ client, fetch, report }) {
    this.#auth = new RefreshCoordinator({ ...client, fetch });
    this.#auth.subscribe((event) => {
      if (event) report(event.type);
    });
  }

  signIn(tokens) {
    return this.#auth.setTokens(tokens);
  }

  /** The bearer token, and one replay after a 401: part of the package. */
  fetch(url) {
    return this.#auth.fetch(url);
  }

  signOut() {
    return this.#auth.signOut();
  }

  close() {
    this.#auth.close();
  }
}
