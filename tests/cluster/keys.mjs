// The keys under which the store has what belongs to a token or to a session, as the package itself names them.

import { RefreshCoordinator } from "refresh-coordinator";

/** @param options those of the processes: the keys depend on them */
export class Keys {
  #options;
  #ofTokens;

  constructor(options) {
    this.#options = options;
  }

  ofToken(refreshToken) {
    this.#ofTokens ??= asking(this.#options);
    return this.#ofTokens.ask((auth) => auth.renew({ refresh_token: refreshToken }));
  }

  async ofSession(session) {
    const { ask, close } = asking({ ...this.#options, session });
    return ask((auth) => auth.getTokens()).finally(close);
  }

  close() {
    this.#ofTokens?.close();
  }

  /** Of a presentation: in successor mode the key of its token, in session mode that of its session. */
  async ofPresentations(mode, { names, browsers }) {
    const found = new Map();
    if (mode === "successor") for (const [token, name] of names) if (name.startsWith("R")) found.set(name, await this.ofToken(token));
    if (mode === "session") for (const { session, name } of browsers) found.set(session, await this.ofSession(name));
    return ({ token, session }) => found.get(mode === "successor" ? token : session);
  }
}

/** A coordinator on a store that only says what it is asked for. */
function asking(options) {
  let asked;
  const away = () => {
    throw new Error("nothing is there");
  };
  const store = { scope: "cluster", read: (key) => (asked(key), away()), write: away };
  const auth = new RefreshCoordinator({ ...options, store, fetch: away });
  const ask = (call) =>
    new Promise((resolve) => {
      asked = resolve;
      call(auth).catch(() => {});
    });
  return { ask, close: auth.close };
}
