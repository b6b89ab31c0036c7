// Which client a half is played with.

import { ByHand } from "./by-hand.js";
import { Coordinated } from "./coordinated.js";

const kinds = { coordinated: Coordinated, "by-hand": ByHand };

/** Makes the client of a half. `report(what)` hears what it does; "presented" is seen on the wire, for both alike. */
export async function openClient(half, report = () => {}) {
  const client = await (await fetch(`/demo/${half}/client`)).json();
  const observed = (input, init) => {
    if (String(input) === client.tokenEndpoint) report("presented");
    return late(input, fetch(input, init));
  };
  return new kinds[half]({ client, fetch: observed, report });
}

/**
 * A reply on its way for as long as its address says (`#late=<ms>`). Not done at the server: over HTTP/1.1 a browser has six
 * requests under way, so slow ones would line up all others behind them.
 */
async function late(input, reply) {
  const [, ms] = /#late=(\d+)$/.exec(String(input)) ?? [];
  const response = await reply;
  if (ms > 0) await new Promise((arrived) => setTimeout(arrived, ms));
  return response;
}
