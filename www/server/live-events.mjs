// Server-sent events: everything published goes to every page that listens.

export class LiveEvents {
  #listeners = new Set();

  listen(response) {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    response.write(": here\n\n");
    this.#listeners.add(response);
    response.on("close", () => this.#listeners.delete(response));
  }

  publish(event) {
    for (const response of this.#listeners) response.write(`data: ${JSON.stringify(event)}\n\n`);
  }
}
