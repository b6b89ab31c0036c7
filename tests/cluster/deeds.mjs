// Does what a plan says to the processes and to their database.

import { setTimeout as sleep } from "node:timers/promises";

export class Deeds {
  #instances;
  #database;
  #line;
  #record;
  #done = [];
  /** What is done to the database is done one after the other. */
  #turn = Promise.resolve();

  constructor({ instances, database, line, record }) {
    [this.#instances, this.#database, this.#line, this.#record] = [instances, database, line, record];
  }

  act = (deed) => {
    this.#done.push(deed.slot === undefined ? (this.#turn = this.#turn.then(() => this.#toDatabase(deed))) : this.#toProcess(deed));
  };

  /** Resolves when everything is done, and undone. */
  async over() {
    await Promise.all(this.#done);
  }

  async #toProcess({ do: name, slot, ms }) {
    await this.#instances.inTurn(slot, async (instance) => {
      if (instance === undefined) return;
      if (name === "kill") return this.#instances.kill(instance.place);
      const release = name === "stop" ? () => {} : await this.#instances.hold(instance);
      if (release === undefined) return;
      const goOn = this.#instances.stop(instance);
      await Promise.race([sleep(ms), instance.gone]);
      release();
      goOn();
    });
  }

  async #toDatabase({ do: name, ms }) {
    this.#record.push({ type: name });
    if (name === "database dies") {
      await this.#database.kill();
      await this.#database.start();
    } else {
      this.#line.cut();
      await sleep(ms);
      this.#line.mend();
    }
    this.#record.push({ type: "database is back" });
  }
}
