// What really happened, as the authorization server itself tells it: the referee of every end-to-end test.
//
// Emits "presentation", "granted", "refused", "rotation", "reuse", "revocation" and "revocation-asked", so that tests
// wait for events and not for time. A session is named by the id of its grant.

import { EventEmitter } from "node:events";

const nothing = () => ({ granted: 0, refused: 0, rotations: 0, reuses: 0, revocations: 0, signOuts: 0 });

export class Oracle extends EventEmitter {
  #sessions = new Map();
  /** Tokens, and the session of each. */
  #issued = new Map();
  #presentations = 0;

  /** The tokens that clients asked to be revoked (RFC 7009), in order, whether the server knew them or not. */
  revoked = [];

  /** Refresh requests that reached the server, whatever became of them. */
  get presentations() {
    return this.#presentations;
  }

  /** Every refresh and access token the server ever issued, to search for in what must not hold one. */
  get issued() {
    return [...this.#issued.keys()];
  }

  /** The session of a token that it issued, also when nothing of it is left. */
  sessionOf(token) {
    return this.#issued.get(token);
  }

  /** The counts of one session, or of all together. */
  counts(session) {
    if (session !== undefined) return { ...nothing(), ...this.#sessions.get(session) };
    const total = nothing();
    for (const counts of this.#sessions.values()) {
      for (const name of Object.keys(total)) total[name] += counts[name];
    }
    return total;
  }

  presented() {
    this.#presentations += 1;
    this.emit("presentation");
  }

  revocationAsked(token) {
    this.revoked.push(token);
    this.emit("revocation-asked", { token });
  }

  /** Listens to what the provider says of itself. */
  watch(provider) {
    const sessionOf = ({ oidc }) => (oidc.entities.RefreshToken ?? oidc.entities.Grant)?.grantId ?? oidc.entities.Grant?.jti;
    provider.on("refresh_token.saved", (token) => this.#issued.set(token.jti, token.grantId));
    provider.on("access_token.saved", (token) => this.#issued.set(token.jti, token.grantId));
    provider.on("refresh_token.consumed", (token) => this.#count("rotations", token.grantId, "rotation"));
    provider.on("grant.success", (context) => this.#count("granted", sessionOf(context), "granted"));
    provider.on("grant.error", (context, error) => {
      this.#count("refused", sessionOf(context), "refused", error.error_detail ?? error.error);
      if (error.error_detail === "refresh token already used") this.#count("reuses", sessionOf(context), "reuse");
    });
    provider.on("grant.revoked", (context, session) => {
      // The client asked for it (RFC 7009), or the server acted of its own accord.
      const asked = context.oidc.route === "revocation";
      this.#count(asked ? "signOuts" : "revocations", session, "revocation");
    });
  }

  #count(name, session = "unknown", event, detail) {
    const counts = this.#sessions.get(session) ?? nothing();
    counts[name] += 1;
    this.#sessions.set(session, counts);
    this.emit(event, { session, detail });
  }
}
