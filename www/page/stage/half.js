// One half of the stage: its tabs, its server, its buttons, and what is shown of them.

import { openClient } from "../clients/kinds.js";
import { actions } from "./actions.js";
import { Lanes } from "./lanes.js";
import { Log } from "./log.js";
import { serverOf } from "./server.js";
import { Tabs } from "./tabs.js";
import { callersInWords, sessionInWords } from "./verdict.js";

const FRAMES = 5;

export class Half {
  #name;
  #root;
  #log;

  static async open(root) {
    const half = new Half(root);
    await half.signIn();
    await Promise.all(Array.from({ length: FRAMES }, () => half.tabs.openFrame()));
    half.#end(await half.server.does("state"));
    return half;
  }

  constructor(root) {
    this.#root = root;
    this.#name = root.dataset.half;
    this.lanes = new Lanes(this.#part("lanes"));
    this.#log = new Log(this.#part("log"));
    this.server = serverOf(this.#name);
    this.tabs = new Tabs(this.#name, this.#part("frames"));
    this.server.hear((event) => this.#told(event));
    this.tabs.addEventListener("here", ({ detail }) => this.lanes.add(detail.tab, detail.isWindow));
    this.tabs.addEventListener("gone", ({ detail }) => this.lanes.end(detail.tab));
    this.tabs.addEventListener("did", ({ detail: { tab, what } }) => {
      this.lanes.mark(tab, what);
      this.#log.tab(tab, what);
    });
    for (const button of root.querySelectorAll("[data-action]")) {
      button.addEventListener("click", () => this.press(button.dataset.action));
    }
  }

  /** Plays what a button does; resolves when it is over. */
  async press(action) {
    if (this.#root.dataset.state !== "idle") return;
    delete this.#root.dataset.last;
    this.#begin(this.#root.querySelector(`[data-action="${action}"]`).textContent);
    try {
      const before = await this.server.does("state");
      const calls = await actions[action](this);
      const after = await this.server.does("state");
      if (calls) this.#answered({ ...calls, presented: after.presentations - before.presentations });
      else this.#part("outcome").textContent = "Done.";
      this.#root.dataset.last = action;
      this.#end(after);
    } catch (error) {
      this.#part("outcome").textContent = `It could not be played, perhaps because the demo has ended: ${error.message}`;
      this.#root.dataset.state = "idle";
    }
  }

  /** As a sign-in page does: stores what the token endpoint answered, and is left again. */
  async signIn() {
    const client = await openClient(this.#name);
    await client.signIn(await this.server.does("sign-in"));
    client.close();
  }

  /** Settled with the next event of this type that the server tells. */
  heard(type) {
    return new Promise((resolve) => this.server.hear((event) => event.type === type && resolve(event)));
  }

  #begin(title) {
    this.#root.dataset.state = "busy";
    this.lanes.clear();
    this.#log.begin(title);
    this.#part("outcome").textContent = "…";
  }

  /** Said in words, and as numbers for whoever reads the page by machine. */
  #answered({ asked, served, presented, told }) {
    Object.assign(this.#root.dataset, { asked, served, presented });
    this.#part("outcome").textContent = callersInWords({ asked, served, presented, told });
  }

  #end(state) {
    this.#show(state);
    this.#root.dataset.state = "idle";
  }

  #told({ type, detail, state }) {
    this.#log.server(type, detail);
    if (state) this.#show(state);
  }

  /** The server's counts and what they mean. */
  #show(state) {
    for (const cell of this.#root.querySelectorAll("[data-count]")) cell.textContent = state[cell.dataset.count];
    const { text, good } = sessionInWords(state);
    const session = this.#part("session");
    session.textContent = text;
    session.classList.toggle("good", good);
    session.classList.toggle("bad", !good);
    this.#root.dataset.alive = state.alive;
  }

  #part(name) {
    return this.#root.querySelector(`.${name}`);
  }
}
