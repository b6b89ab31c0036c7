// A careful client, as people write it by hand: one request per refresh token, shared by everybody who asks while it runs
// and removed in `finally`, tried once more when network or server fail. To be compared with; not part of the package.

const inFlight = new Map();

export class ByHand {
  static title = "by hand";

  #server;
  #clientId;
  #now;
  #expiresAt;
  tokens;

  constructor({ server, clientId, tokens, now = Date.now }) {
    this.#server = server;
    this.#clientId = clientId;
    this.#now = now;
    this.#keep(tokens);
  }

  static async signedIn(options) {
    return new ByHand(options);
  }

  async getAccessToken() {
    if (!this.tokens) throw new Error("signed out");
    if (this.#now() < this.#expiresAt) return this.tokens.access_token;
    return (await this.renew(this.tokens)).access_token;
  }

  /** Everybody who has the same token gets the same promise. */
  renew(tokens) {
    const key = tokens.refresh_token;
    const running = inFlight.get(key);
    if (running) return running;
    const started = this.#exchange(key).finally(() => inFlight.delete(key));
    inFlight.set(key, started);
    return started;
  }

  async signOut() {
    const { refresh_token: token } = this.tokens;
    this.tokens = undefined;
    await this.#post(this.#server.revocationEndpoint, { token });
  }

  close() {}

  async #exchange(refreshToken) {
    const form = { grant_type: "refresh_token", refresh_token: refreshToken };
    const present = () => this.#post(this.#server.tokenEndpoint, form);
    const response = await present().catch(present).then((first) => (first.status < 500 ? first : present()));
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    const tokens = await response.json();
    this.#keep(tokens);
    return tokens;
  }

  #keep(tokens) {
    this.tokens = tokens;
    this.#expiresAt = this.#now() + tokens.expires_in * 1000;
  }

  #post(url, form) {
    return fetch(url, { method: "POST", body: new URLSearchParams({ ...form, client_id: this.#clientId }) });
  }
}
