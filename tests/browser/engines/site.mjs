// One origin and its tabs, in any browser. What is the same in all engines is here; what is not is in their drivers.

import { WebSocket, WebSocketServer } from "ws";

import { listen } from "../../authorization-server/listen.mjs";
import { servePages } from "../served.mjs";
import { busiest } from "./processes.mjs";

/** Every site has storage, locks and channels of its own: an origin that was never used before. */
export class Site {
  #browser;
  #tabs = new Map();
  #close;

  /** The origin of all its pages. */
  origin;
  /** What nobody caught in a page. */
  uncaught = [];

  /** @param browser what an engine's `launch` gave */
  static async open(browser) {
    const site = new Site();
    const pages = servePages('<script src="/tests/browser/engines/agent.js"></script>');
    const sockets = new WebSocketServer({ server: pages });
    sockets.on("connection", (socket, { url }) => site.#tabs.get(new URLSearchParams(url.slice(1)).get("tab"))?.arrive(socket));
    const { origin, close } = await listen(pages);
    site.origin = origin;
    site.#browser = browser;
    site.#close = () => {
      for (const socket of sockets.clients) socket.terminate();
      return close();
    };
    return site;
  }

  /** A new tab, once its page is there. */
  async tab(path = "/") {
    const tab = new Tab(this, this.#browser, `${this.#tabs.size + 1}`);
    this.#tabs.set(tab.name, tab);
    await tab.open(path);
    return tab;
  }

  /** A worker that will come up with this name as `tab` in its address. What its pages do to it is theirs; here it is asked. */
  worker(name) {
    const worker = new Tab(this, undefined, name);
    this.#tabs.set(name, worker);
    return worker;
  }

  /** Closes all tabs. Throws what nobody caught in them. */
  async close() {
    await Promise.all([...this.#tabs.values()].map((tab) => tab.close()));
    await this.#close();
    const known = (error) => this.#browser.knownFault?.(error) ?? false;
    for (const { message } of this.uncaught.filter(known)) console.log(`a known fault: ${message}`);
    const wrong = this.uncaught.filter((error) => !known(error));
    if (wrong.length > 0) throw new AggregateError(wrong, `uncaught in a page: ${wrong[0].message}`);
  }
}

/** A tab of a site, or a worker. */
export class Tab {
  #site;
  #browser;
  #driven;
  #socket;
  #gone;
  #arrived = () => {};
  #froze = () => {};
  #asked = new Map();
  #isFrozen = false;
  #questions = 0;

  constructor(site, browser, name) {
    this.#site = site;
    this.#browser = browser;
    /** Names it within its site. Also in the address, so that its pages can say whose they are. */
    this.name = name;
  }

  /** Settled when the page that is there now is gone, whatever the reason. */
  get gone() {
    return this.#gone;
  }

  /** Can it be asked? */
  get isThere() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Settled when the next page or worker comes up. */
  arrival() {
    return new Promise((resolve) => (this.#arrived = resolve));
  }

  /** What a function returns in the page. It sees the page's globals only; argument and result are JSON. */
  evaluate(run, argument) {
    const id = (this.#questions += 1);
    const answer = new Promise((resolve, reject) => this.#asked.set(id, { resolve, reject }));
    this.#socket.send(JSON.stringify({ id, source: String(run), argument }), (error) => error && this.#refuse(id, error));
    return answer;
  }

  open(path) {
    return this.#shows(async () => {
      this.#driven = await this.#browser.open(this.#address(path));
    });
  }

  /** Goes to another page of the site, by an order of the browser and not of the page. */
  navigate(path) {
    return this.#shows(() => this.#driven.navigate(this.#address(path)));
  }

  reload() {
    return this.#shows(() => this.#driven.reload());
  }

  /** Back in the history. */
  back() {
    return this.#shows(() => this.#driven.back());
  }

  /** Closes the tab, as its user does. Does nothing to a tab that is gone. */
  async close() {
    const driven = this.#driven;
    this.#driven = undefined;
    if (driven === undefined || this.#browser.isSpent()) return;
    await driven.close();
    await this.#gone;
  }

  /** Kills the tab's process, as the system does when memory is short. */
  async kill() {
    const work = () =>
      this.evaluate(() => {
        for (const end = performance.now() + 150; performance.now() < end; );
      });
    process.kill(await busiest(() => this.#browser.processes(), work), "SIGKILL");
    await this.#gone;
    this.#browser.killed?.();
  }

  /** Stops everything in the page until `thaw`, as browsers do with tabs in the background. Where the engine's driver can. */
  async freeze() {
    const frozen = new Promise((resolve) => (this.#froze = resolve));
    await this.#driven.freeze();
    await frozen;
  }

  thaw() {
    return this.#shows(() => this.#driven.thaw());
  }

  /** Nothing goes in or out until `goOnline`, not even what is asked here. Where the engine's driver can. */
  goOffline() {
    return this.#driven.goOffline();
  }

  goOnline() {
    return this.#driven.goOnline();
  }

  /** A page has come up in the tab. */
  arrive(socket) {
    this.#socket = socket;
    this.#gone = new Promise((resolve) => socket.once("close", resolve));
    // What was asked of a page before it was frozen, it answers when it goes on.
    const asked = (this.#asked = this.#isFrozen ? this.#asked : new Map());
    this.#isFrozen = false;
    socket.once("close", () => {
      if (this.#isFrozen) return;
      for (const { reject } of asked.values()) reject(new Error("the page is gone"));
    });
    socket.on("message", (data) => {
      const { id, value, error, uncaught, frozen } = JSON.parse(data);
      if (uncaught) return this.#site.uncaught.push(thrown(uncaught));
      if (frozen) {
        this.#isFrozen = true;
        return this.#froze();
      }
      // What was asked before the page went to rest, nobody waits for any more.
      if (error) asked.get(id)?.reject(thrown(error));
      else asked.get(id)?.resolve(value);
      asked.delete(id);
    });
    this.#arrived();
  }

  /** Does something after which a page comes up. */
  async #shows(does) {
    const arrived = this.arrival();
    await does();
    await arrived;
  }

  #refuse(id, error) {
    this.#asked.get(id)?.reject(error);
  }

  #address(path) {
    return `${this.#site.origin}${path}?tab=${this.name}`;
  }
}

const thrown = ({ name, message, stack }) => Object.assign(new Error(`${name}: ${message}`), { stack });
