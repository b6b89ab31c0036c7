// The line between the stage and its tabs: a BroadcastChannel for each half, and a lock that a tab holds while it lives.
//
// It carries orders and reports of the demo only. The clients have their own ways to hear of each other.

export class Line extends EventTarget {
  #channel;

  constructor(half) {
    super();
    this.#channel = new BroadcastChannel(`demo ${half}`);
    this.#channel.onmessage = ({ data }) => this.dispatchEvent(new CustomEvent(data.say, { detail: data }));
  }

  /** Everybody else on the line hears it. */
  say(say, more) {
    this.#channel.postMessage({ say, ...more });
  }

  hear(say, listener) {
    this.addEventListener(say, ({ detail }) => listener(detail));
  }
}

/** The lock of a tab: free as soon as the tab is gone, however it went. */
export const lifeOf = (half, tab) => `demo ${half} tab ${tab}`;
