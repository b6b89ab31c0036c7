// The tabs of one half: frames of this page and real ones. Opens them, ends them, gives orders and waits for what they report.

import { lifeOf, Line } from "../line.js";

/** Frames are spread over so many processes, where the browser can do that (`www/server/isolation.mjs`). */
const PROCESSES = 3;

export class Tabs extends EventTarget {
  #half;
  #line;
  #place;
  #living = new Map();
  #opened = 0;
  #orders = 0;
  #open = new Map();

  /** `place` is where the frames go. Emits "here", "gone" and "did". */
  constructor(half, place) {
    super();
    this.#half = half;
    this.#place = place;
    this.#line = new Line(half);
    this.#line.hear("here", (report) => this.#arrived(report));
    this.#line.hear("did", (report) => this.#emit("did", report));
    this.#line.hear("done", ({ id, result }) => this.#settle(id, result));
  }

  get living() {
    return [...this.#living.keys()];
  }

  /** Opens a frame; resolves with its number once it is at work. */
  openFrame() {
    const tab = (this.#opened += 1);
    const frame = document.createElement("iframe");
    frame.title = `Tab ${tab}`;
    frame.src = this.#address(tab);
    const here = this.#next("here", tab);
    this.#place.append(frame);
    this.#living.set(tab, { frame });
    return here.then(() => tab);
  }

  /**
   * Opens a real tab, in a small window, so that both can be seen. Only in answer to a click; not
   * waited for, since the browser or the user may close it at once.
   */
  openWindow() {
    const tab = (this.#opened += 1);
    window.open(this.#address(tab), "_blank", "noopener,popup,width=420,height=260");
  }

  /** Ends a tab in the middle of whatever it does. */
  kill(tab) {
    const gone = this.#next("gone", tab);
    const { frame } = this.#living.get(tab);
    if (frame) frame.remove();
    else this.#line.say("order", { to: tab, order: "close" });
    return gone;
  }

  /** Loads all of them again, as a page is after a sign-in. */
  reload() {
    return Promise.all(
      this.living.map((tab) => {
        const here = this.#next("here", tab);
        this.#line.say("order", { to: tab, order: "reload" });
        return here;
      }),
    );
  }

  /** Gives an order; resolves with what came of it, or with nothing if the tab has gone in the meantime. */
  order(tab, order, more) {
    const id = (this.#orders += 1);
    return new Promise((settle) => {
      this.#open.set(id, { tab, settle });
      this.#line.say("order", { to: tab, order, id, ...more });
    });
  }

  /** The number of the next tab that does this. */
  nextThat(what) {
    return new Promise((resolve) => {
      const look = ({ detail }) => {
        if (detail.what !== what) return;
        this.removeEventListener("did", look);
        resolve(detail.tab);
      };
      this.addEventListener("did", look);
    });
  }

  #arrived({ tab, isWindow }) {
    const known = this.#living.get(tab) ?? {};
    this.#living.set(tab, known);
    this.#emit("here", { tab, isWindow });
    navigator.locks.request(lifeOf(this.#half, tab), () => this.#left(tab, known));
  }

  #left(tab, known) {
    for (const [id, { tab: whose }] of this.#open) if (whose === tab) this.#settle(id);
    // A frame that is still in its place is only being loaded again.
    if (known.frame?.isConnected) return;
    if (this.#living.get(tab) === known) this.#living.delete(tab);
    this.#emit("gone", { tab });
  }

  #settle(id, result) {
    this.#open.get(id)?.settle(result);
    this.#open.delete(id);
  }

  #next(type, tab) {
    return new Promise((resolve) => {
      const look = ({ detail }) => {
        if (detail.tab !== tab) return;
        this.removeEventListener(type, look);
        resolve();
      };
      this.addEventListener(type, look);
    });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #address(tab) {
    return `/tab.html?half=${this.#half}&tab=${tab}&process=${tab % PROCESSES}`;
  }
}
