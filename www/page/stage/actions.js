// What each button does, as a small story that ends when all its callers have been answered.
//
// An action returns what came of its callers, if it had some.

const CALLERS = 100;

/** The same calls from all tabs, dealt out evenly. */
async function callers({ tabs, lanes }) {
  const living = tabs.living;
  const shares = living.map((_, index) => Math.floor((CALLERS + index) / living.length));
  const calls = async (tab, index) => {
    const result = await tabs.order(tab, "call", { count: shares[index] });
    if (result) lanes.served(tab, result);
    return result;
  };
  const results = await Promise.all(living.map(calls));
  const answered = results.filter(Boolean);
  const sum = (member) => answered.reduce((total, result) => total + result[member], 0);
  return { asked: sum("asked"), served: sum("served"), told: [...new Set(answered.flatMap(({ told }) => told))] };
}

/** The access token ends, and everybody notices at once; the server does this at the next refresh. */
const meanwhile = (fault) => async (half) => {
  await half.server.does(fault);
  await half.server.does("expire");
  return callers(half);
};

export const actions = {
  async expire({ server }) {
    await server.does("expire");
  },

  call: callers,

  async storm(half) {
    await half.server.does("expire");
    return callers(half);
  },

  async kill(half) {
    const { server, tabs } = half;
    await server.does("hold");
    await server.does("expire");
    const held = half.heard("held");
    const presenting = tabs.nextThat("presented");
    const calls = callers(half);
    const tab = await Promise.race([presenting, calls.then(() => undefined)]);
    // Whoever is signed out presents nothing.
    if (tab === undefined) return calls;
    await held;
    await tabs.kill(tab);
    const result = await calls;
    await tabs.openFrame();
    return result;
  },

  slow: meanwhile("slow"),

  unavailable: meanwhile("unavailable"),

  drop: meanwhile("drop"),

  async revoke(half) {
    await half.server.does("revoke");
    return callers(half);
  },

  async "sign-out"({ tabs }) {
    await tabs.order(tabs.living[0], "sign-out");
  },

  async "sign-in"(half) {
    await half.signIn();
    await half.tabs.reload();
  },

  async window({ tabs }) {
    tabs.openWindow();
  },
};
