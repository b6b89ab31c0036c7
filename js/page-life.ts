/** The moments at which a page cannot trust what it heard: it was frozen, hidden, offline, or in the back/forward cache. */

/** Calls the listener at each of them. Returns a function that ends it. Does nothing where there is no page. */
export function onWake(listener: () => void): () => void {
  const { document } = globalThis as { document?: Document };
  const shown = () => document?.visibilityState === "visible" && listener();
  const restored = (event: Event) => (event as PageTransitionEvent).persisted && listener();
  const moments: [EventTarget | undefined, string, (event: Event) => void][] = [
    [document, "visibilitychange", shown],
    [document, "resume", listener],
    [globalThis as Partial<EventTarget> as EventTarget, "pageshow", restored],
    [globalThis as Partial<EventTarget> as EventTarget, "online", listener],
  ];
  for (const [target, type, react] of moments) target?.addEventListener?.(type, react);
  return () => {
    for (const [target, type, react] of moments) target?.removeEventListener?.(type, react);
  };
}
