// The client of the second half: a careful one, as people write it by hand. Not part of the package.
//
// A `Map` shares one promise per refresh token in this tab; a Web Lock lets one tab at a time go on; whoever has the lock reads
// localStorage again and takes what another tab has put there. Network and server failures are tried once more, and a
// refusal ends the session only if nothing newer is stored.

const SESSION = "session";

export class ByHand {
  #client;
  #fetch;
  #report;
  #inFlight = new Map();
  #tokens = read();

  constructor({ client, fetch, report }) {
    this.#client = client;
    this.#fetch = fetch;
    this.#report = report;
    addEventListener("storage", this.#follow);
  }

  signIn(tokens) {
    this.#keep(tokens);
  }

  /** The bearer token, and after a 401 a refresh and one replay. */
  async fetch(url) {
    const tokens = this.#tokens ?? fail("signed out");
    const first = await this.#fetch(url, bearer(tokens));
    if (first.status !== 401) return first;
    return this.#fetch(url, bearer(await this.#refresh()));
  }

  async signOut() {
    const tokens = this.#tokens;
    this.#forget();
    if (tokens) await this.#post(this.#client.revocationEndpoint, { token: tokens.refresh_token });
  }

  close() {
    removeEventListener("storage", this.#follow);
  }

  /** Everybody who asks while it runs gets the same promise. */
  #refresh() {
    const held = this.#tokens ?? fail("signed out");
    const key = held.refresh_token;
    const running = this.#inFlight.get(key);
    if (running) return running;
    this.#report("waiting");
    const started = navigator.locks.request("refresh", () => this.#exchange(held)).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, started);
    return started;
  }

  /** Under the lock: what another tab has got in the meantime, or new tokens. */
  async #exchange(held) {
    const newer = this.#newerThan(held);
    if (newer) return newer;
    const form = { grant_type: "refresh_token", refresh_token: held.refresh_token };
    const present = () => this.#post(this.#client.tokenEndpoint, form);
    const response = await present().catch(present).then((first) => (first.status < 500 ? first : present()));
    if (response.ok) {
      this.#report("refreshed");
      return this.#keep(await response.json());
    }
    const { error } = await response.json().catch(() => ({ error: `status ${response.status}` }));
    if (error !== "invalid_grant") fail(error);
    const rescued = this.#newerThan(held);
    if (rescued) return rescued;
    this.#report("revoked");
    this.#forget();
    return fail(error);
  }

  #newerThan(held) {
    const stored = read() ?? fail("signed out");
    if (stored.refresh_token === held.refresh_token) return undefined;
    this.#report("adopted");
    return (this.#tokens = stored);
  }

  #keep(tokens) {
    localStorage.setItem(SESSION, JSON.stringify(tokens));
    return (this.#tokens = tokens);
  }

  #forget() {
    localStorage.removeItem(SESSION);
    this.#tokens = undefined;
  }

  /** Another tab has signed in, refreshed or signed out. */
  #follow = ({ key }) => {
    if (key === SESSION) this.#tokens = read();
  };

  #post(url, form) {
    return this.#fetch(url, { method: "POST", body: new URLSearchParams({ ...form, client_id: this.#client.clientId }) });
  }
}

function read() {
  return JSON.parse(localStorage.getItem(SESSION)) ?? undefined;
}

function bearer(tokens) {
  return { headers: { authorization: `Bearer ${tokens.access_token}` } };
}

function fail(message) {
  throw new Error(message);
}
