// A chaos run: does what a plan says to the tabs of a browser, and records what came of it for the judge.

import { startAuthorizationServer } from "../../authorization-server/provider.mjs";
import { strict } from "../../authorization-server/personalities.mjs";
import { Record } from "../../chaos/record.mjs";
import { Site } from "../engines/site.mjs";
import * as inPlace from "./in-place.mjs";
import { Network } from "../../chaos/network.mjs";
import { Places } from "./places.mjs";
import { described } from "./plan.mjs";

/** How long an access token lives, in seconds. */
const LIFETIME = 3_600;
/** So much later it has ended, whatever a jump of the clocks takes back. In milliseconds. */
const LATER = LIFETIME * 1_000 + 30 * 60_000;
/** No wait is longer, in milliseconds: what takes so long hangs. */
const PATIENCE = 90_000;

/**
 * Runs a plan in a browser that was just launched. Returns the record for the judge, and what was counted.
 *
 * @param tell is told each round before it begins, in one line
 */
export async function run(browser, { can, seed, rounds, tabs, tell }) {
  const server = await startAuthorizationServer(strict, { accessTokenLifetime: LIFETIME });
  const site = await Site.open(browser);
  const record = new Record();
  const network = new Network(server, record);
  const bounded = (promise, what) => withinPatience(promise, `${what} (seed ${seed})`);
  const places = new Places({ site, browser, can, server, network, record, seed, bounded }, tabs);
  let wrong;
  try {
    await places.complete();
    let session = await signIn({ server, places, record });
    for (const round of rounds) {
      tell(described(round));
      await expiry(round, { places, network, record, bounded });
      session = await settle(round, session, { server, places, network, record, bounded });
    }
  } catch (error) {
    wrong = error;
  }
  record.push({ type: "over" });
  await bounded(site.close(), "the tabs to close").catch((error) => (wrong ??= error));
  await server.close();
  return { record, wrong, rested: places.rested, presentations: server.oracle.presentations, ...server.oracle.counts() };
}

/** The access token ends, everybody calls, and something happens to one of them. */
async function expiry({ expiry: number, clocks, callers, lost, before, fate, meanwhile }, { places, network, record, bounded }) {
  await places.complete();
  const undo = await places.suffer(before, "");
  await undo();
  await places.complete();

  record.push({ type: "expiry", number });
  const first = network.begin(fate, meanwhile.at);
  places.wall += LATER;
  const calls = { wall: places.wall, monotonic: clocks === "both" ? LATER : 0, lost, callers };
  await places.all((place) => {
    place.asked = number;
    return place.agent.evaluate(inPlace.expire, calls);
  });
  const presenter = await bounded(first.arrival, `the first request of expiry ${number}`);
  const mend = await places.suffer(meanwhile, presenter);
  first.release();
  // Whoever rests comes back only when the others have been served, or it would be no rest.
  if (meanwhile.do === "rest") await places.all(({ agent }) => agent.evaluate(inPlace.answers));
  await mend();
}

/** Collects what callers were told, and looks at what the server knows. Signs in again if the session is lost. */
async function settle({ expiry: number, callers, lost }, session, { server, places, network, record, bounded }) {
  const told = new Map();
  const note = (place, answers) => {
    const named = answers.map(({ token, ...error }) => (token === undefined ? error : { token: network.nameOf(token, "A") }));
    told.set(place, [...(told.get(place) ?? []), ...named]);
  };
  await places.all(async (place) => {
    if (place.asked !== number) await place.agent.evaluate(inPlace.ask, { lost, callers });
    note(place, await place.agent.evaluate(inPlace.answers));
  });
  await bounded(network.atRest(), `the server, to be done with the requests of expiry ${number}`);
  if (!(await server.hasSession(session))) {
    await places.all(async (place) => note(place, await place.agent.evaluate(inPlace.hearOfTheEnd)));
  }
  for (const [{ name }, answers] of told) record.push({ type: "told", place: name, answers });
  const alive = await server.hasSession(session);
  const tokens = [...told.values()].flat().flatMap(({ token }) => token ?? []);
  record.push({ type: "looked", session, alive, active: await network.active(tokens) });
  return alive ? session : signIn({ server, places, record });
}

/** A new session, of which every place takes hold. */
async function signIn({ server, places, record }) {
  const { session, tokens } = await server.signIn();
  record.push({ type: "sign-in", session });
  const [one] = places.living;
  await one.agent.evaluate((tokens) => auth.setTokens(tokens).then(() => {}), tokens);
  await places.all(async ({ name, agent }) => {
    const [{ token, error, reason }] = await agent.evaluate(inPlace.takeUp);
    if (token !== tokens.access_token) throw new Error(`${name} did not take up the new session: ${token ? "another token" : `${error} ${reason}`}`);
  });
  return session;
}

function withinPatience(promise, what) {
  let timer;
  const end = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${PATIENCE / 1_000} s for ${what}`)), PATIENCE);
  });
  return Promise.race([promise, end]).finally(() => clearTimeout(timer));
}
