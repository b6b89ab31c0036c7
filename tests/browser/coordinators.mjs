// Coordinators in pages, frames and workers, whichever browser runs them: all it takes is `evaluate(function, argument)`.

import assert from "node:assert/strict";

import { PUBLIC_CLIENT } from "../authorization-server/provider.mjs";

/** Makes a coordinator for a server there, as `auth`. `options` are the coordinator's. */
export async function begin(where, server, options = {}) {
  await where.evaluate(
    async (options) => {
      const { RefreshCoordinator } = await import("/pkg/index.js");
      // What cannot be handed over from outside the page, it has made itself.
      globalThis.auth = new RefreshCoordinator({ ...options, ...globalThis.own });
      // Whoever wants to hear of everything is there from the beginning.
      if (globalThis.events !== undefined) auth.subscribe((event) => event && events.push(event));
    },
    {
      clientId: PUBLIC_CLIENT,
      tokenEndpoint: server.tokenEndpoint,
      revocationEndpoint: server.revocationEndpoint,
      ...options,
    },
  );
  return where;
}

/** What becomes of so many calls in a tab: the tokens and errors, each once. */
export function calls(where, count) {
  return where.evaluate(async (count) => {
    const ended = await Promise.allSettled(Array.from({ length: count }, () => auth.getAccessToken()));
    const told = ended.map(({ value, reason }) => value ?? [reason.name, reason.reason ?? reason.code].join(" "));
    return [...new Set(told)];
  }, count);
}

/** The tab whose request is on its way. */
export async function presenter(places) {
  const presentations = await Promise.all(places.map((where) => where.evaluate(() => auth.stats().presentations)));
  return places[presentations.indexOf(1)];
}

/** Waits until so many tabs queue behind the one that holds the lock. None of the calls may end before. */
export async function queued(page, count, told = []) {
  const queue = page.evaluate(async (count) => {
    while ((await navigator.locks.query()).pending.length < count);
  }, count);
  const early = await Promise.race([queue, ...told]);
  assert.equal(early, undefined, `told before all others had queued: ${early}`);
}
