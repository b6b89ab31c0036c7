// What is measured: the package, and beside it the least that shares a promise at all, an async `Map<string, Promise>`.
//
// Both offer `freshToken`, and `getAccessToken`, `expire` and `answer`: `expire` makes the next call begin a flight, which
// lands with `answer`.

import { RefreshCoordinator } from "refresh-coordinator";

const LIFETIME = 3600;

/** A refresh whose reply the benchmark gives. */
function openRefresh() {
  let count = 0;
  let pending;
  return {
    refresh: () => new Promise((resolve) => (pending = resolve)),
    answer() {
      count += 1;
      pending({ access_token: `access-${count}`, refresh_token: `refresh-${count}`, expires_in: LIFETIME });
    },
  };
}

/** The floor: fresh or not, and one promise per key while a refresh runs. */
export function map() {
  const { refresh, answer } = openRefresh();
  const flights = new Map();
  let [accessToken, expiresAt] = ["access-0", Date.now() + LIFETIME * 1000];
  const start = () =>
    refresh()
      .then((reply) => {
        [accessToken, expiresAt] = [reply.access_token, Date.now() + reply.expires_in * 1000];
        return accessToken;
      })
      .finally(() => flights.delete("session"));
  async function getAccessToken() {
    if (Date.now() < expiresAt) return accessToken;
    const running = flights.get("session");
    if (running) return running;
    const started = start();
    flights.set("session", started);
    return started;
  }
  return {
    name: "async Map<string, Promise>",
    freshToken: getAccessToken,
    getAccessToken,
    expire: () => (expiresAt = 0),
    answer,
  };
}

/** The package: with its defaults where the token is fresh, and on a clock that can be put forward where it is not. */
export async function coordinator() {
  const tokens = { access_token: "access-0", refresh_token: "refresh-0", expires_in: LIFETIME };
  const fresh = new RefreshCoordinator({ refresh: () => tokens });
  await fresh.setTokens(tokens);
  const { refresh, answer } = openRefresh();
  let passed = 0;
  const clock = {
    now: () => Date.now() + passed,
    monotonic: () => performance.now() + passed,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(resolve, ms);
        signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)));
      }),
  };
  let begun;
  const auth = new RefreshCoordinator({ clock, refresh: () => (begun(), refresh()) });
  await auth.setTokens(tokens);
  let sent;
  return {
    name: "refresh-coordinator",
    freshToken: fresh.getAccessToken,
    getAccessToken: auth.getAccessToken,
    expire() {
      passed += LIFETIME * 1000;
      sent = new Promise((resolve) => (begun = resolve));
    },
    answer: () => sent.then(answer),
    close: () => [fresh, auth].forEach((one) => one.close()),
  };
}
