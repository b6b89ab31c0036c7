// A lane for each tab: what it did since the last button, with counts.

/** What is shown of all that a client reports, and in which words. */
const marks = {
  presented: "presented",
  waiting: "waited",
  adopted: "adopted",
  "taken-over": "took over",
  transient: "told “not now”",
  revoked: "told “over”",
};

export class Lanes {
  #list;
  #lanes = new Map();

  constructor(list) {
    this.#list = list;
  }

  add(tab, isWindow) {
    if (this.#lanes.has(tab)) return;
    const item = document.createElement("li");
    item.dataset.tab = tab;
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = `Tab ${tab}`;
    if (isWindow) name.append(small(" in a window"));
    const did = document.createElement("span");
    did.className = "did";
    item.append(name, did);
    const after = [...this.#list.children].find((other) => Number(other.dataset.tab) > tab);
    this.#list.insertBefore(item, after ?? null);
    this.#lanes.set(tab, { item, did, counts: new Map() });
  }

  mark(tab, what) {
    const lane = this.#lanes.get(tab);
    if (!lane || !Object.hasOwn(marks, what)) return;
    const count = (lane.counts.get(what) ?? 0) + 1;
    lane.counts.set(what, count);
    let mark = lane.did.querySelector(`[data-what="${what}"]`);
    if (!mark) {
      mark = document.createElement("span");
      mark.dataset.what = what;
      lane.did.append(mark, " ");
    }
    mark.textContent = count === 1 ? marks[what] : `${marks[what]} ×${count}`;
  }

  /** What came of the callers of this tab. */
  served(tab, { asked, served }) {
    const text = document.createElement("small");
    text.textContent = `${served} of ${asked} served`;
    this.#lanes.get(tab)?.did.append(text);
  }

  end(tab) {
    const lane = this.#lanes.get(tab);
    lane?.item.classList.add("gone");
    lane?.did.append(Object.assign(document.createElement("span"), { textContent: "gone" }));
  }

  /** Before the next button's story: nothing has been done yet, and who is gone is no longer shown. */
  clear() {
    for (const [tab, { item, did, counts }] of this.#lanes) {
      counts.clear();
      did.replaceChildren();
      if (!item.classList.contains("gone")) continue;
      item.remove();
      this.#lanes.delete(tab);
    }
  }
}

function small(text) {
  return Object.assign(document.createElement("small"), { textContent: text });
}
