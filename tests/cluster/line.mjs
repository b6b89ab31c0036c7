// The line between the processes and their database: TCP, forwarded until it is cut. Nobody is told that it is: connections stay, new ones
// are made, and nothing arrives any more until it is mended.

import { once } from "node:events";
import { connect, createServer } from "node:net";

export class Line {
  #server;
  #pairs = new Set();
  #isCut = false;

  /** Lays one to a port of this machine. */
  static async to(port) {
    const line = new Line(port);
    line.#server.listen(0, "127.0.0.1");
    await once(line.#server, "listening");
    return line;
  }

  constructor(port) {
    this.#server = createServer((near) => {
      const far = connect(port, "127.0.0.1");
      const pair = [near, far];
      this.#pairs.add(pair);
      this.#forward(near, far);
      this.#forward(far, near);
      for (const end of pair) {
        end.setNoDelay(true);
        end.on("error", () => {});
        end.once("close", () => {
          this.#pairs.delete(pair);
          for (const one of pair) one.destroy();
        });
      }
    });
  }

  get port() {
    return this.#server.address().port;
  }

  cut() {
    this.#isCut = true;
    for (const end of [...this.#pairs].flat()) end.pause();
  }

  mend() {
    this.#isCut = false;
    for (const end of [...this.#pairs].flat()) end.resume();
  }

  async close() {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const end of [...this.#pairs].flat()) end.destroy();
    await closed;
  }

  #forward(from, to) {
    from.on("data", (data) => {
      if (to.write(data)) return;
      from.pause();
      to.once("drain", () => this.#isCut || from.resume());
    });
    // A new connection too.
    if (this.#isCut) from.pause();
  }
}
