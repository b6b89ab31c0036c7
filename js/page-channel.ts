/**
 * The `BroadcastChannel` of a page or worker. It is closed while the page is in the back/forward cache, since a message that
 * arrives there would throw the page out of it, and opened again when the page is shown.
 */

import type { Channel } from "./types.js";

type Listener = Parameters<Channel["addEventListener"]>[1];

/** What is said on it names hashed keys only, so all coordinators of an origin share it. */
const NAME = "refresh-coordinator";

/** The channel, or `undefined` where there is none. */
export function pageChannel(): Channel | undefined {
  const listeners = new Set<Listener>();
  let channel = open();
  if (channel === undefined) return undefined;

  function open(): BroadcastChannel | undefined {
    try {
      const opened = new BroadcastChannel(NAME);
      for (const listener of listeners) opened.addEventListener("message", listener);
      return opened;
    } catch {
      // Absent, or refused to this frame.
      return undefined;
    }
  }
  const hide = () => {
    channel?.close();
    channel = undefined;
  };
  const show = () => {
    channel ??= open();
  };
  // Some hosts have the channel, but no page that could be hidden.
  globalThis.addEventListener?.("pagehide", hide);
  globalThis.addEventListener?.("pageshow", show);

  return {
    postMessage(message) {
      if (channel !== undefined) return channel.postMessage(message);
      // What ends while the page is being hidden is still said.
      const once = open();
      once?.postMessage(message);
      once?.close();
    },
    addEventListener(type, listener) {
      listeners.add(listener);
      channel?.addEventListener(type, listener);
    },
    removeEventListener(type, listener) {
      listeners.delete(listener);
      channel?.removeEventListener(type, listener);
    },
    close() {
      globalThis.removeEventListener?.("pagehide", hide);
      globalThis.removeEventListener?.("pageshow", show);
      listeners.clear();
      hide();
    },
    // Elsewhere than in a browser, an open channel would keep the process alive.
    unref: () => (channel as { unref?(): void } | undefined)?.unref?.(),
  };
}
