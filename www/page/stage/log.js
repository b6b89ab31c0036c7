// The live log of one half: newest line first, the last hundred lines.

const LINES = 100;

const words = {
  presentation: "a refresh token is presented",
  granted: "granted",
  refused: "refused",
  rotation: "the refresh token is spent, a new one issued",
  reuse: "a spent refresh token: theft, as far as the server can tell",
  revocation: "the session is ended",
  held: "holds the request back",
  presented: "presents the refresh token",
  waiting: "waits for another tab",
  adopted: "adopts the tokens of another tab",
  refreshed: "has new tokens",
  "taken-over": "takes over from a tab that is gone",
  transient: "is told: not now",
  revoked: "is told: the session is over",
  "signed-in": "sees a sign-in",
  "signed-out": "sees a sign-out",
};

export class Log {
  #list;
  #start = performance.now();

  constructor(list) {
    this.#list = list;
  }

  /** Time counts from here. */
  begin(title) {
    this.#start = performance.now();
    this.#line("title", "", title);
  }

  server(type, detail) {
    this.#line("server", "server", detail ? `${words[type]}: ${detail}` : words[type]);
  }

  tab(tab, what) {
    this.#line("tab", `tab ${tab}`, words[what] ?? what);
  }

  #line(kind, who, what) {
    const item = document.createElement("li");
    item.className = kind;
    const when = kind === "title" ? "" : `${((performance.now() - this.#start) / 1000).toFixed(2)} s`;
    item.append(...[when, who, what].map((text) => Object.assign(document.createElement("span"), { textContent: text })));
    this.#list.prepend(item);
    while (this.#list.childElementCount > LINES) this.#list.lastElementChild.remove();
  }
}
