// The instances of an app: real processes that are killed, stopped, and started again. Each start is a place of its own: 3.2 is the
// second process in the third slot.

import { fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("instance-process.mjs", import.meta.url));

export class Instances {
  #slots;
  #settings;
  #record;
  #folder;
  #held = new Map();
  #over = false;
  #rest;
  #atRest = new Promise((resolve) => (this.#rest = resolve));

  /**
   * @param settings what the process in a slot is given
   * @param folder where what they say is kept, also what a killed one said last
   */
  constructor({ count, settings, record, folder }) {
    this.#slots = Array.from({ length: count }, () => ({ starts: 0, instance: undefined, turn: Promise.resolve() }));
    [this.#settings, this.#record, this.#folder] = [settings, record, folder];
  }

  start() {
    return Promise.all(this.#slots.map((_, slot) => this.#start(slot)));
  }

  /** The ports on which somebody listens, or did until just now. */
  get ports() {
    return this.#slots.flatMap(({ instance }) => instance?.port ?? []);
  }

  /** What is done to a slot is done one after the other. */
  inTurn(slot, does) {
    const state = this.#slots[slot];
    return (state.turn = state.turn.then(() => does(state.instance)));
  }

  /** Kills a process, if it is still there, and starts another one in its slot. Resolves when the first is gone. */
  async kill(place) {
    const slot = this.#slots.findIndex(({ instance }) => instance?.place === place);
    if (slot === -1) return;
    const state = this.#slots[slot];
    const { child, gone } = state.instance;
    state.instance = undefined;
    this.#record.push({ type: "leaves", place, by: "kill" });
    child.kill("SIGKILL");
    const started = gone.then(() => this.#start(slot));
    state.turn = Promise.all([state.turn, started]);
    await gone;
  }

  /** Stops a process until what is returned is called. */
  stop(instance) {
    this.#record.push({ type: "leaves", place: instance.place, by: "stop" });
    instance.child.kill("SIGSTOP");
    return () => {
      if (!isThere(instance)) return;
      this.#record.push({ type: "back", place: instance.place });
      instance.child.kill("SIGCONT");
    };
  }

  /**
   * The next presentation of a process waits before it leaves. Resolves when it does, with what releases it; or with nothing, if there is
   * none any more.
   */
  async hold(instance) {
    const held = this.#waiting(`${instance.place} sends`).then(() => () => isThere(instance) && instance.child.send({ release: true }));
    instance.child.send({ hold: "sends" });
    return Promise.race([held, instance.gone, this.#atRest]);
  }

  /** From now on nobody waits for another presentation. */
  rest() {
    this.#rest();
  }

  /** Resolves when this process has the reply that it was told to wait after, and has done nothing with it. */
  afterReply(place) {
    return this.#waiting(`${place} reply`);
  }

  /** Everything that every process said. */
  get said() {
    const of = ({ starts }, slot) => Array.from({ length: starts }, (_, start) => [`what process ${slot + 1}.${start + 1} said`, this.#saidIn(slot, start + 1)]);
    return Object.fromEntries(this.#slots.flatMap(of));
  }

  async close() {
    this.#over = true;
    await Promise.all(this.#slots.map(({ turn }) => turn));
    const all = this.#slots.map(({ instance }) => instance).filter(Boolean);
    for (const { child } of all) if (child.connected) child.disconnect();
    await Promise.all(all.map(({ gone }) => gone));
  }

  async #start(slot) {
    if (this.#over) return;
    const start = (this.#slots[slot].starts += 1);
    const place = `${slot + 1}.${start}`;
    const log = openSync(this.#fileOf(slot, start), "a");
    const child = fork(PROGRAM, [JSON.stringify({ place, ...this.#settings(slot) })], { stdio: ["ignore", log, log, "ipc"] });
    closeSync(log);
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill);
    const gone = once(child, "exit").then(([code, signal]) => {
      process.off("exit", kill);
      this.#record.push({ type: "ended", place, with: code ?? signal });
    });
    const ready = new Promise((resolve) => {
      child.on("message", (message) => {
        if (message.type === "ready") resolve(message.port);
        else this.#held.get(`${place} ${message.at}`)?.();
      });
    });
    const port = await Promise.race([ready, gone]);
    if (port === undefined) throw new Error(`process ${place} did not start:\n${this.#saidIn(slot, start)}`);
    this.#record.push({ type: "began", place });
    this.#slots[slot].instance = { place, child, gone, port };
  }

  #waiting(what) {
    return new Promise((resolve) => this.#held.set(what, resolve));
  }

  #fileOf = (slot, start) => join(this.#folder, `${slot + 1}.${start}.log`);
  #saidIn = (slot, start) => readFileSync(this.#fileOf(slot, start), "utf8");
}

const isThere = ({ child }) => child.exitCode === null && child.signalCode === null;
