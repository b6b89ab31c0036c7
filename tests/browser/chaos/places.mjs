// Where the coordinators of a chaos run are: so many tabs, a dedicated, a shared and a service worker. What is done to them, and the
// record of it.
//
// A place is one coordinator: when its tab shows another page, that is another place.

import { setTimeout as sleep } from "node:timers/promises";

import { PUBLIC_CLIENT } from "../../authorization-server/provider.mjs";
import * as inPlace from "./in-place.mjs";
import { startDedicated, startService, startShared } from "./workers.mjs";

const MINUTE = 60_000;

export class Places {
  /** What every wall clock is ahead by, in milliseconds. */
  wall = 0;
  /** How often a page has come back as it was. */
  rested = 0;

  #run;
  #slots;
  #workers = {};
  #count = 0;

  /** @param run `site`, `browser`, what its driver `can`, `server`, `network`, `record`, `seed`, and `bounded`, which ends every wait */
  constructor(run, tabs) {
    this.#run = run;
    this.#slots = Array.from({ length: tabs }, () => ({ tab: undefined, place: undefined }));
    for (const kind of ["dedicated", "shared", "service"]) this.#workers[kind] = { agent: run.site.worker(kind), place: undefined };
  }

  /** Those that can be asked now. */
  get living() {
    const all = [...this.#slots, ...Object.values(this.#workers)].map(({ place }) => place);
    return all.filter((place) => place?.state === "living");
  }

  /** Opens whatever is missing. */
  async complete() {
    for (const slot of this.#slots) if (slot.tab === undefined) await this.#open(slot);
    await this.#startWorkers();
  }

  /** Sets the wall clock of the machine. */
  jump(minutes) {
    this.wall += minutes * MINUTE;
    return this.all(({ agent }) => agent.evaluate((wall) => void (globalThis.ahead = { ...ahead, wall }), this.wall));
  }

  /** The same in all living places. Those that go meanwhile are passed over. */
  all(does) {
    const one = async (place) => {
      try {
        return await this.#run.bounded(does(place), `an answer of ${place.name}`);
      } catch (error) {
        if (place.state !== "living" || !place.agent.isThere) return undefined;
        this.#run.record.push({ type: "silent", place: place.name, why: error.message });
        throw error;
      }
    };
    return Promise.all(this.living.map(one));
  }

  /** Does what the plan says to a tab, to that of `presenter` if it says so. What must be undone, the function that is returned does. */
  async suffer({ do: deed, tab, ms, minutes }, presenter) {
    if (deed === "nothing") return () => {};
    if (deed === "jump") return this.jump(minutes).then(() => () => {});
    if (deed === "terminate") return this.#terminate();
    const slot = this.#slots[tab === "presenter" ? this.#slotOf(presenter) : tab];
    const again = async () => {
      if (slot.tab === undefined && !this.#run.browser.isSpent()) await this.#open(slot);
      await this.#startWorkers();
    };
    switch (deed) {
      case "close":
      case "kill":
        await this.#end(slot, deed, () => slot.tab[deed]());
        slot.tab = slot.place = undefined;
        return again;
      case "reload":
        return this.#replace(slot, deed, () => slot.tab.reload());
      case "navigate":
        return this.#replace(slot, deed, () => slot.tab.navigate("/another"));
      case "rest":
        return this.#rest(slot);
      case "freeze":
        return this.#stop(slot, deed, () => slot.tab.freeze(), () => slot.tab.thaw(), ms);
      case "offline":
        if (this.#run.can.offline) return this.#stop(slot, deed, () => slot.tab.goOffline(), () => slot.tab.goOnline(), ms);
        return this.#stop(slot, deed, () => this.#goOffline(slot.place), () => this.#goOnline(slot.place), ms);
    }
    throw new Error(`nobody knows how to ${deed}`);
  }

  /** Of a worker: the tab that has it. */
  #slotOf(name) {
    return Math.max(this.#slots.findIndex(({ place }) => place?.name === name), 0);
  }

  async #open(slot) {
    slot.tab = await this.#run.bounded(this.#run.site.tab("/app"), "a new tab");
    await this.#begin(slot, slot.tab, `tab ${this.#slots.indexOf(slot)}`);
  }

  /** Makes a coordinator there: a new place. */
  async #begin(holder, agent, title) {
    const { server, seed, record, bounded } = this.#run;
    const place = { name: `${title} (${(this.#count += 1)})`, agent, state: "living", mayRest: false, asked: 0 };
    const options = { clientId: PUBLIC_CLIENT, tokenEndpoint: server.tokenEndpoint };
    await bounded(agent.evaluate(inPlace.begin, { options, name: place.name, seed, wall: this.wall }), `a coordinator in ${place.name}`);
    record.push({ type: "began", place: place.name, sleeps: /^(shared|service)/.test(title) });
    holder.place = place;
    this.#watch(place);
  }

  #watch(place) {
    place.agent.gone.then(() => {
      if (place.state !== "living") return;
      // A page at rest has let go of its socket, and so have its workers.
      if (place.mayRest) place.state = "resting";
      else this.#ended(place);
    });
  }

  #back(place) {
    place.mayRest = false;
    place.state = "living";
    this.#run.record.push({ type: "back", place: place.name });
    this.#watch(place);
  }

  #leaves(place, by, perhaps = false) {
    if (place?.state === "living") this.#run.record.push({ type: "leaves", place: place.name, by, perhaps });
  }

  #ended(place) {
    if (place === undefined || place.state === "ended") return;
    place.state = "ended";
    this.#run.record.push({ type: "ended", place: place.name });
  }

  /** The workers that may go with a tab, or with its process. */
  #withIt(slot, by) {
    const { dedicated, shared, service } = this.#workers;
    const number = this.#slots.indexOf(slot);
    // WebKitGTK ends the others with the tab that they share a process with, whoever else has them.
    const kinds = by === "kill" || number === 0 ? [dedicated, shared, service] : [shared, service];
    return kinds.map(({ place }) => place).filter((place) => place?.state === "living");
  }

  /** Records what is done to a tab: that its place may be gone, before, and that it is, after. */
  async #end(slot, by, does) {
    this.#mayGo(slot, by);
    await this.#run.bounded(does(), `the end of ${slot.place.name} by ${by}`);
    this.#ended(slot.place);
    // Its page may be kept for a while, but nobody comes back to it.
    if (slot === this.#slots[0]) this.#ended(this.#workers.dedicated.place);
  }

  /** Something happens to a tab. What becomes of the workers, `#startWorkers` finds out. */
  #mayGo(slot, by) {
    const workers = this.#withIt(slot, by);
    this.#leaves(slot.place, by);
    for (const place of workers) {
      this.#leaves(place, by, true);
      place.mayRest = true;
    }
  }

  async #replace(slot, by, does) {
    await this.#end(slot, by, does);
    await this.#begin(slot, slot.tab, `tab ${this.#slots.indexOf(slot)}`);
    return () => this.#startWorkers();
  }

  /** Another page comes into the tab, which may keep this one. Undone by going back. */
  async #rest(slot) {
    const { bounded } = this.#run;
    const { tab, place } = slot;
    this.#mayGo(slot, "rest");
    place.state = "resting";
    await bounded(tab.navigate("/elsewhere"), `another page in the place of ${place.name}`);
    return async () => {
      await bounded(tab.back(), `the way back to ${place.name}`);
      const rested = await bounded(tab.evaluate((wall) => "auth" in globalThis && ((globalThis.ahead = { ...ahead, wall }), true), this.wall), place.name);
      if (rested) this.#back(place);
      else {
        this.#ended(place);
        await this.#begin(slot, tab, `tab ${this.#slots.indexOf(slot)}`);
      }
      this.rested += rested ? 1 : 0;
      await this.#startWorkers();
    };
  }

  /** Stops a place for a while. */
  async #stop(slot, by, stop, go, ms) {
    const { bounded } = this.#run;
    const { place } = slot;
    this.#mayGo(slot, by);
    place.mayRest = true;
    await bounded(stop(), `${place.name} to ${by}`);
    return async () => {
      await sleep(ms);
      await bounded(go(), `the end of ${by} in ${place.name}`);
      this.#back(place);
      await this.#startWorkers();
    };
  }

  /** As the page sees it, where the driver cannot. */
  async #goOffline({ name, agent }) {
    this.#run.network.cut(name);
    await agent.evaluate(() => void dispatchEvent(new Event("offline")));
  }

  async #goOnline({ name, agent }) {
    this.#run.network.mend(name);
    await agent.evaluate(() => void dispatchEvent(new Event("online")));
  }

  async #terminate() {
    const { place } = this.#workers.dedicated;
    const [{ tab }] = this.#slots;
    if (place?.state === "living" && tab?.isThere) {
      this.#leaves(place, "terminate");
      await tab.evaluate(() => (worker.terminate(), void (globalThis.worker = undefined)));
      await this.#run.bounded(place.agent.gone, `the end of ${place.name}`);
      this.#ended(place);
    }
    return () => this.#startWorkers();
  }

  /** Starts those workers that are not there, and finds out which are. */
  async #startWorkers() {
    const { bounded } = this.#run;
    const tabs = this.#slots.map(({ tab }) => tab);
    const [first, second] = tabs;
    for (const [kind, pages, start] of [
      ["dedicated", [first], startDedicated],
      ["shared", [first, second], startShared],
      ["service", tabs.filter(Boolean).slice(0, 1), startService],
    ]) {
      const holder = this.#workers[kind];
      const { agent, place } = holder;
      const there = pages.filter(Boolean);
      if (there.length === 0) continue;
      await bounded(comesUp(agent, () => start(there)), `the ${kind} worker`);
      const isSame = agent.evaluate((name) => globalThis.place === name, place?.name ?? "");
      if (await bounded(isSame, `a word of the ${kind} worker`)) {
        if (place.mayRest) this.#back(place);
        continue;
      }
      this.#ended(place);
      await this.#begin(holder, agent, `${kind} worker`);
    }
  }
}

/** Starts a worker, or finds that it is there. `start` says true if the worker can only be a new one. */
async function comesUp(agent, start) {
  const arrival = agent.arrival();
  const isNew = await start();
  // One that is stopped with its page has a socket all the same.
  const answer = agent.isThere && !isNew ? agent.evaluate(() => {}).catch(() => arrival) : arrival;
  await Promise.race([arrival, answer]);
}
