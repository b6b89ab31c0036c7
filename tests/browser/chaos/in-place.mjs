// What runs in the pages and workers of a chaos run. Each function sees the globals of its place only.

/** Makes a coordinator with clocks that the run moves, a channel that loses messages, and requests that say whose they are. */
export async function begin({ options, name, seed, wall }) {
  // A service worker may not import when it likes: it has done so at its start.
  const { RefreshCoordinator } = globalThis.package ?? (await import("/pkg/index.js"));
  const { Random } = globalThis.random ?? (await import("/tests/chaos/random.mjs"));
  const lots = new Random(`${seed} ${name}`);
  Object.assign(globalThis, { place: name, ahead: { wall, monotonic: 0 }, lost: 0 });
  globalThis.BroadcastChannel = class extends BroadcastChannel {
    postMessage(message) {
      if (lots.share() >= lost) super.postMessage(message);
    }
  };
  globalThis.auth = new RefreshCoordinator({
    ...options,
    clientAuthentication: () => ({ params: { presenter: name } }),
    clock: {
      now: () => Date.now() + ahead.wall,
      monotonic: () => performance.now() + ahead.monotonic,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          signal.throwIfAborted();
          const timer = setTimeout(resolve, ms);
          signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
        }),
    },
  });
  // Who listens, looks at once when another place announces something.
  auth.subscribe(() => {});
  const told = (error) => ({ error: error.name, reason: error.reason ?? error.code });
  const again = ({ retryAt = 0 }) =>
    new Promise((resolve) => setTimeout(resolve, Math.min(Math.max(retryAt - Date.now() - ahead.wall, 100), 5_000)));

  /** Does as an app does: what could not be done now, it tries again later. What it was told otherwise, each once. */
  globalThis.insist = async (callers, call) => {
    const answers = new Map();
    for (let tries = 1; tries <= 12; tries += 1) {
      const ended = await Promise.allSettled(Array.from({ length: callers }, call));
      let busy;
      for (const { value, reason } of ended) {
        if (reason?.name === "TransientError") busy = reason;
        const answer = value === undefined ? told(reason) : { token: value };
        if (reason?.name !== "TransientError" || tries === 12) answers.set(JSON.stringify(answer), answer);
      }
      if (busy === undefined) break;
      await again(busy);
    }
    return [...answers.values()];
  };
}

/** The access token has ended: sets the clocks, and calls. What comes of it, `asked` will tell. */
export function expire({ wall, monotonic, lost, callers }) {
  globalThis.ahead = { wall, monotonic: ahead.monotonic + monotonic };
  globalThis.lost = lost;
  globalThis.asked = insist(callers, () => auth.getAccessToken());
}

/** Calls in a place that came later. */
export function ask({ lost, callers }) {
  globalThis.lost = lost;
  globalThis.asked = insist(callers, () => auth.getAccessToken());
}

/** What the calls came to. */
export const answers = () => globalThis.asked;

/** The resource servers refuse every token: goes on until the session is said to be over. */
export function hearOfTheEnd() {
  return insist(1, async () => {
    for (;;) await auth.refresh({ rejected: await auth.getAccessToken() });
  });
}

/** Takes hold of the session that another place has begun. The first call still belongs to the one before. */
export function takeUp() {
  return insist(1, () => auth.getAccessToken().catch(() => auth.getAccessToken()));
}
