// A coordinator that is used over a channel, as from the page of a worker.

import { connect, serve } from "refresh-coordinator/worker";

import { scene } from "./scene.mjs";

/** The usual beginning, and so many pages, each with a port of its own. `page` are the options of `connect`. */
export async function servedScene(t, { pages: count = 1, page: options = {}, ...rest } = {}) {
  const all = await scene(t, rest);
  const serving = serve(all.auth);
  t.after(() => serving.close());
  const open = (more) => connect(portOf(t, serving), { ...options, ...more });
  const pages = Array.from({ length: count }, () => open());
  for (const page of pages) t.after(() => page.close());
  return { ...all, serving, open, pages, page: pages[0] };
}

/** A port whose other end is answered. */
export function portOf(t, serving) {
  const { near, far } = channel(t);
  serving.accept(far);
  return near;
}

/** A page's end of a channel, and the worker's. */
export function channel(t) {
  const { port1: near, port2: far } = new MessageChannel();
  t.after(() => near.close());
  return { near, far };
}

/** Waits until the snapshot has this status. */
export function becomes(auth, status) {
  return new Promise((resolve) => {
    const look = () => auth.getSnapshot().status === status && resolve(auth.getSnapshot());
    auth.subscribe(look);
    look();
  });
}
