/**
 * What a refresh took, as a track of the browser's performance panel: User Timing (W3C), with the members by which Chromium's DevTools
 * draw a track of its own. Every entry can also be had by a `PerformanceObserver`.
 *
 * Must not know any token, nor the session's name.
 */

/** The track's name, and how its entries' names begin. */
const TRACK = "refresh-coordinator";

/** Where there is a panel: a page or a worker of one. Elsewhere entries would only pile up. */
const hasPanel = (): boolean => "WorkerGlobalScope" in globalThis || "document" in globalThis;

/** An entry from a moment of `performance.now()` until now, or until another one. What is to be read about it: a list of pairs. */
export function measure(what: string, start: number, properties: [string, string][], end = performance.now()): void {
  if (!hasPanel() || typeof performance.measure !== "function") return;
  const name = `${TRACK}: ${what}`;
  const devtools = { dataType: "track-entry", track: TRACK, color: "primary", tooltipText: what, properties };
  try {
    performance.measure(name, { start, end, detail: { devtools } });
    // Observers and the panel have it. In the page's timeline it would stay for as long as the page lives.
    performance.clearMeasures(name);
  } catch {
    // An engine that knows the older form only. It is nothing that anybody waits for.
  }
}
