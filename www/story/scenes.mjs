// The story, scene by scene. Each is played with both clients, each time with a server and a session of its own.
//
// A scene returns what its callers got, as settled promises. Its session ought to live, unless `ends` says otherwise.

import { setTimeout as sleep } from "node:timers/promises";

import { unavailable } from "../../tests/authorization-server/faults.mjs";
import * as personalities from "../../tests/authorization-server/personalities.mjs";

/** So many calls made in one go. Whoever fails is looked at later. */
const callers = (count, call) =>
  Array.from({ length: count }, () => {
    const promise = call();
    promise.catch(() => {});
    return promise;
  });

export const scenes = [
  {
    title: "1,000 callers at one expiry",
    personality: personalities.strict,
    async play({ client, expire }) {
      expire();
      return Promise.allSettled(callers(1000, () => client.getAccessToken()));
    },
  },
  {
    title: "100 late callers with the spent token: 50 ms, 250 ms and 1 s after the refresh",
    personality: personalities.strict,
    async play({ client, tokens, expire }) {
      expire();
      const calls = callers(25, () => client.renew(tokens));
      await Promise.allSettled(calls);
      for (const [count, delay] of [[25, 50], [25, 200], [25, 750]]) {
        await sleep(delay);
        calls.push(...callers(count, () => client.renew(tokens)));
        await Promise.allSettled(calls);
      }
      return Promise.allSettled(calls);
    },
  },
  {
    title: "the server answers 503 for a second, and callers keep asking",
    personality: personalities.strict,
    async play({ client, server, expire }) {
      expire();
      server.next(Infinity, unavailable({ "retry-after": "1" }));
      const calls = [];
      for (let round = 0; round < 20; round += 1) {
        calls.push(...callers(50, () => client.getAccessToken()));
        await sleep(50);
      }
      server.heal();
      return Promise.allSettled(calls);
    },
  },
  {
    title: "the reply is lost; the server forgives a repetition for a while",
    personality: personalities.graceAndLostAfterRotation,
    grace: 60,
    async play({ client, expire }) {
      expire();
      return Promise.allSettled(callers(100, () => client.getAccessToken()));
    },
  },
  {
    title: "the reply is lost; the server forgives nothing",
    personality: personalities.lostAfterRotation,
    // The only copy of the new token is gone: nobody can keep this session. What can be done is to say so.
    ends: "lost",
    async play({ client, expire }) {
      expire();
      return Promise.allSettled(callers(100, () => client.getAccessToken()));
    },
  },
  {
    title: "the user signs out while the refresh is under way; then 100 callers ask",
    personality: personalities.strict,
    ends: "signed out",
    async play({ client, server, expire }) {
      expire();
      const held = server.holdReply();
      const refreshing = callers(1, () => client.getAccessToken());
      await held.arrived;
      await client.signOut();
      held.release();
      await Promise.allSettled(refreshing);
      return Promise.allSettled(callers(100, () => client.getAccessToken()));
    },
  },
];
