// What becomes of the presentations at the authorization server, and the record of them.

import { cutOff, delay, dropBefore } from "../authorization-server/faults.mjs";
import { peek, Witness } from "../chaos/witness.mjs";

export class Authority {
  #server;
  #record;
  #witness;
  #instances;
  #plan;
  #presentations = 0;
  #underWay = new Set();

  /** @param act does a deed of the plan */
  constructor({ server, record, instances, plan, act }) {
    [this.#server, this.#record, this.#instances, this.#plan] = [server, record, instances, plan];
    this.#witness = new Witness(server, record);
    const deeds = [...plan.deeds];
    server.next(Infinity, (context, next) => {
      while (deeds.length > 0 && deeds[0].at <= this.#presentations + 1) act(deeds.shift());
      const met = this.#meet(context, next).finally(() => this.#underWay.delete(met));
      this.#underWay.add(met);
      return met;
    });
  }

  nameOf(token, letter) {
    return this.#witness.nameOf(token, letter);
  }

  /** Every token that was met, and its name. */
  get names() {
    return this.#witness.names;
  }

  /** Settled when the server is done with every request, also with those whose senders are gone. */
  async atRest() {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  async #meet(context, next) {
    const number = (this.#presentations += 1);
    const token = (await peek(context.req)).get("refresh_token");
    const sent = context.get("presentation");
    // It hung up before the request was complete.
    if (token === null) return dropBefore()(context);
    const session = this.#server.oracle.sessionOf(token);
    const by = sent.split("#")[0];
    const id = this.#witness.presented(context, { by, token, sent, number, session });
    // Whoever has hung up in the meantime has taken the body along.
    const serve = () => (context.req.destroyed ? dropBefore()(context) : this.#witness.serving(id, next));
    await this.#suffer(this.#plan.fates.get(number) ?? {}, { id, by, context, serve });
  }

  async #suffer({ is, at, ms }, { id, by, context, serve }) {
    const lost = () => this.#record.push({ type: "lost", id });
    switch (`${is ?? "answered"}${at ? ` at the ${at}` : ""}`) {
      case "late":
        return delay(ms)(context, serve);
      case "request lost":
        lost();
        return dropBefore()(context);
      case "reply lost":
        await cutOff()(context, serve);
        return lost();
      case "killed at the request":
        await this.#instances.kill(by);
        return serve();
      case "killed at the reply":
        await serve();
        return this.#instances.kill(by);
      case "killed at the commit":
        context.set("hold", "reply");
        void this.#instances.afterReply(by).then(() => this.#instances.kill(by));
        return serve();
      default:
        return serve();
    }
  }
}
