// The processes of a chaos run: what is done to them, and the record of it for the judge.
//
// A place, in the judge's words, is one process: who is started in the place of one that is gone, is another.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { start } from "../programs.mjs";

/** So much time passes at once where time is to pass fast, in milliseconds: less than what an attempt is given. */
const STRIDE = 2_000;
/** So often, in real milliseconds. */
const OFTEN = 100;
/** So many times at most. */
const STRIDES = 150;

export class Members {
  /** What was done, counted. */
  done = {};

  #run;
  #slots;
  #count = 0;
  #folder;
  #pauses = new Set();
  /** Called when the next one is about to send a request. */
  #sends = new Set();
  #pause = 0;

  /** @param run `runtimes`, `settings`, `folder`, `time`, `lease` in milliseconds, `isLocked`, `record`, and `bounded`, which ends every wait */
  constructor(run, processes) {
    this.#run = run;
    this.#slots = Array.from({ length: processes }, () => undefined);
    this.#folder = join(run.folder, "deeds");
    mkdirSync(this.#folder);
  }

  get living() {
    return this.#slots.filter((member) => member?.state === "living");
  }

  /** Does anybody stand still? */
  get isAnyStill() {
    return this.#pauses.size > 0;
  }

  /** Those of them that live. */
  at(slots) {
    return this.living.filter((member) => slots.includes(this.#slots.indexOf(member)));
  }

  named(name) {
    return this.#slots.find((member) => member?.name === name);
  }

  /** Starts whatever is missing. */
  async complete() {
    await Promise.all(this.#slots.map((member, slot) => (member === undefined ? this.#start(slot) : undefined)));
  }

  /** The same in all that live. Those that go meanwhile are passed over. */
  all(does) {
    const one = async (member) => {
      try {
        return await this.#run.bounded(does(member), `an answer of ${member.name}`);
      } catch (error) {
        if (member.state !== "living") return undefined;
        this.#run.record.push({ type: "silent", place: member.name, why: error.message });
        throw error;
      }
    };
    return Promise.all(this.living.map(one));
  }

  /** Time passes for all. */
  pass(wall, monotonic) {
    this.#run.time.pass(wall, monotonic);
    for (const member of this.living) member.tell({ does: "wake" });
  }

  /** Lays out what whoever gets there first does to itself. Nothing is left of what was there before. */
  lay(deeds, pause = 0) {
    for (const name of readdirSync(this.#folder)) rmSync(join(this.#folder, name));
    this.#pause = pause;
    for (const [index, { do: deed, at }] of deeds.entries()) writeFileSync(join(this.#folder, `${at}, ${deed}, ${index}`), "");
  }

  /** Nobody comes any more to what is still there. */
  clear() {
    const left = readdirSync(this.#folder).filter((name) => !name.endsWith("taken"));
    for (const [at, deed] of left.map((name) => name.split(", "))) this.#note(`nobody came to ${deed} at ${at.split(" ")[0]}`);
    this.lay([]);
  }

  /** It ends by itself, as a process does that is done. */
  async end(member) {
    if (member?.state !== "living") return;
    this.#leaves(member, "end");
    member.end();
    await this.#run.bounded(member.gone, `the end of ${member.name}`);
  }

  async kill(member) {
    if (member?.state !== "living") return;
    this.#leaves(member, "kill");
    member.signal("SIGKILL");
    await this.#run.bounded(member.gone, `the end of ${member.name}`);
  }

  /** Others wait for it. */
  async killOwner(member) {
    await this.kill(member);
    if (!this.#run.isLocked) void this.#untilAnotherSends(member);
  }

  stop(member) {
    if (member?.state !== "living") return;
    member.signal("SIGSTOP");
    this.#leaves(member, "stop");
    this.#stands(member);
  }

  /** Settled when nobody stands still any more. */
  async atRest() {
    while (this.isAnyStill) await Promise.all(this.#pauses);
  }

  async close() {
    const left = this.#slots.filter((member) => member !== undefined);
    for (const member of left) {
      member.signal("SIGCONT");
      member.end();
    }
    await Promise.all(left.map(({ gone }) => gone));
  }

  /** A process with a coordinator. */
  #start(slot) {
    const { runtimes, settings, record, bounded } = this.#run;
    const name = `process ${slot} (${(this.#count += 1)})`;
    const calls = new Map();
    let ready;
    const isReady = new Promise((resolve) => (ready = resolve));
    const program = start(runtimes[slot % runtimes.length], "main.mjs", { ...settings, name, deeds: this.#folder }, (line) => {
      if (line.ready) ready();
      else if (line.does) this.#does(member, line);
      else if (line.reached) for (const hear of this.#sends) hear(member);
      else calls.get(line.id)?.(line);
    });
    const gone = program.gone.then(({ how, said }) => {
      member.state = "ended";
      this.#slots[slot] = undefined;
      record.push({ type: "ended", place: name, how, ...(said !== "" && { said }) });
      for (const settle of [...calls.values(), ready]) settle({ error: `it is gone: ${how} ${said}` });
    });
    const call = async (does, ...values) => {
      const id = calls.size + 1;
      const line = await new Promise((resolve) => {
        calls.set(id, resolve);
        if (member.state === "ended") resolve({ error: "it is gone" });
        else program.tell({ id, does, values });
      });
      if (line.error) throw new Error(`${name}: ${line.error}`);
      return line.result;
    };
    const member = { ...program, name, gone, call, state: "living", asked: undefined };
    this.#slots[slot] = member;
    record.push({ type: "began", place: name });
    return bounded(isReady, `${name} to start`);
  }

  /** It has done so to itself, or does in this moment. */
  #does(member, { does, at }) {
    this.#leaves(member, `${does} at ${at}`);
    if (does === "stop") this.#stands(member);
    else if (!this.#run.isLocked) void this.#untilAnotherSends(member);
  }

  #leaves(member, by) {
    member.state = "leaving";
    this.#run.record.push({ type: "leaves", place: member.name, by, ...(this.#isHarmless(by) && { harmless: true }) });
    this.#note(by.split(" ").slice(0, 3).join(" "));
  }

  /**
   * Who stands still while he claims has sent nothing, and finds out. Who has sent keeps the kernel's lock, and nobody else sends. And what
   * is renamed is written, whatever becomes of who wrote it.
   */
  #isHarmless(by) {
    if (by.startsWith("stop at claim") || /commit (open again|sync again|unlink)$/.test(by)) return true;
    return this.#run.isLocked && by.startsWith("stop") && by !== "stop at request";
  }

  #stands(member) {
    const pause = this.#standing(member).finally(() => this.#pauses.delete(pause));
    this.#pauses.add(pause);
  }

  /** It stands still until its lease is over and, if nothing but the lease keeps the others from it, until one of them is about to send. */
  async #standing(member) {
    if (this.#run.isLocked) await this.#passLease();
    else await this.#untilAnotherSends(member);
    await sleep(this.#pause);
    if (member.state !== "leaving") return;
    member.state = "living";
    this.#run.record.push({ type: "back", place: member.name });
    member.signal("SIGCONT");
    member.tell({ does: "wake" });
  }

  async #passLease() {
    for (let passed = 0; passed < this.#run.lease; passed += STRIDE) {
      await sleep(OFTEN);
      this.pass(STRIDE);
    }
  }

  /** Time passes fast until somebody goes on in the place of a process, or nobody has to. */
  async #untilAnotherSends(member) {
    let another = false;
    const hear = (who) => (another ||= who !== member);
    this.#sends.add(hear);
    for (let strides = 0; strides < STRIDES; strides += 1) {
      await sleep(OFTEN);
      if (another || this.living.every(({ asked }) => asked?.isAnswered)) break;
      this.pass(STRIDE);
    }
    this.#sends.delete(hear);
  }

  #note(what) {
    this.done[what] = (this.done[what] ?? 0) + 1;
  }
}
