// Tabs in the middle of an exchange: the request of one is at the server, and the others wait behind it.

import assert from "node:assert/strict";

import { calls, presenter, queued } from "../coordinators.mjs";

export const CALLERS = 5;

/** One tab's request is at the server, which holds it or its reply; all other tabs wait behind it. `told`: what becomes of each tab's calls. */
export async function inMidExchange({ server, pages }, hold) {
  const held = server[hold]();
  const told = new Map(pages.map((tab) => [tab, calls(tab, CALLERS)]));
  // Whose tab comes to its end is told nothing.
  for (const outcome of told.values()) outcome.catch(() => {});
  await held.arrived;
  const first = await presenter(pages);
  await queued(first, pages.length - 1, [...told.values()]);
  return { held, told, first, others: pages.filter((tab) => tab !== first) };
}

/** What the calls of all other tabs are told, each once. */
export async function othersAreTold(told, ...excepted) {
  const others = [...told].filter(([tab]) => !excepted.includes(tab));
  return [...new Set((await Promise.all(others.map(([, outcome]) => outcome))).flat())];
}

/** Of the tabs that wait, the one that is first in the queue for the lock. */
export async function nextInTheQueue(waiting) {
  // Every page of the origin sees the queue, and the browser names who waits in it.
  const clients = await Promise.all(waiting.map((tab) => tab.evaluate(clientOf)));
  const [first] = await waiting[0].evaluate(async () => (await navigator.locks.query()).pending.map(({ clientId }) => clientId));
  return waiting[clients.indexOf(first)];
}

/** How the browser names this page: as who holds a lock that only this page asks for. */
const clientOf = () =>
  navigator.locks.request(`${Math.random()}`, async ({ name }) => {
    const { held } = await navigator.locks.query();
    return held.find((lock) => lock.name === name).clientId;
  });

/** All were told the same, which is a token that is good for something, and the session goes on. */
export async function assertLives({ server, session }, told) {
  assert.equal(told.length, 1, `what callers were told: ${told.join(", ")}`);
  assert.equal(await server.isActive(told[0]), true);
  assert.equal(await server.hasSession(session), true);
}
