// One tab: a client of its own, which does what the stage orders and reports what it does.

import { openClient } from "../clients/kinds.js";
import { lifeOf, Line } from "../line.js";
import { call } from "./callers.js";

const address = new URLSearchParams(location.search);
const [half, tab] = [address.get("half"), Number(address.get("tab"))];

const line = new Line(half);
const say = (what, more) => line.say(what, { tab, ...more });
const client = await openClient(half, (what) => say("did", { what }));

const orders = {
  call: async ({ count }) => call(client, half, count),
  "sign-out": async () => void (await client.signOut()),
  reload: async () => location.reload(),
  close: async () => window.close(),
};
line.hear("order", async ({ to, order, id, ...more }) => {
  if (to !== tab) return;
  const result = await orders[order](more);
  say("done", { id, result });
});

document.title = `Tab ${tab}`;
document.querySelector("h1").textContent = `Tab ${tab} of “${half}”`;

// Held for as long as the tab lives: the stage waits for it to become free.
await new Promise((held) => navigator.locks.request(lifeOf(half, tab), () => (held(), new Promise(() => {}))));
say("here", { isWindow: window.top === window });
