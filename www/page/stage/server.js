// What the stage asks of the demo's server, and what it hears from it.

/** Everything the servers tell, in one stream for both halves. */
const events = new EventSource("/demo/events");

/** Settled once the stream is open: nothing is missed from then on. */
export const listening = new Promise((resolve) => events.addEventListener("open", resolve, { once: true }));

export function serverOf(half) {
  return {
    /** Does one of the actions of `www/server/half.mjs`. */
    async does(action) {
      const reply = await fetch(`/demo/${half}/${action}`, { method: "POST" });
      if (!reply.ok) throw new Error(`${action}: ${reply.status}`);
      return reply.json();
    },
    hear(listener) {
      events.addEventListener("message", ({ data }) => {
        const event = JSON.parse(data);
        if (event.half === half) listener(event);
      });
    },
  };
}
