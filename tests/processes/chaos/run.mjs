// A chaos run among processes: does what a plan says to those that share one credential file, and records what came of it for the judge.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { strict } from "../../authorization-server/personalities.mjs";
import { PUBLIC_CLIENT, startAuthorizationServer } from "../../authorization-server/provider.mjs";
import { Network } from "../../chaos/network.mjs";
import { Record } from "../../chaos/record.mjs";
import { PassingTime } from "../passing-time.mjs";
import { here } from "../programs.mjs";
import { readAllTheTime } from "../reading.mjs";
import { Members } from "./members.mjs";
import { described } from "./plan.mjs";

/** How long an access token lives, in seconds. */
const LIFETIME = 3_600;
/** So much later it has ended. In milliseconds. */
const LATER = LIFETIME * 1_000 + 30 * 60_000;
/** Longer than any lease, in milliseconds. */
const LEASE = 16_000;
/** What a store is given, in milliseconds: time passes fast now and then, and no disk with it. */
const STORE_TIMEOUT = 120_000;
/** No wait is longer, in milliseconds: what takes so long hangs. */
const PATIENCE = 90_000;

/**
 * Runs a plan. Returns the record for the judge, and what was counted.
 *
 * @param store options of the file store
 * @param isLocked whether the kernel lets go of the lock of who is gone, and of nobody else's
 * @param grace for how long the server accepts the previous token again, in seconds, as the processes know
 * @param runtimes what the processes run on, in turn
 * @param tell is told each round before it begins, in one line
 */
export async function run({ rounds, processes, store, isLocked, grace = 0, runtimes = [here], tell }) {
  const folder = await mkdtemp(join(tmpdir(), "refresh-coordinator-processes-"));
  const server = await startAuthorizationServer({ ...strict, graceSeconds: grace }, { accessTokenLifetime: LIFETIME });
  const time = new PassingTime(join(folder, "time"));
  const record = new Record();
  const network = new Network(server, record);
  const path = join(folder, "app", "credentials.json");
  const options = { clientId: PUBLIC_CLIENT, tokenEndpoint: server.tokenEndpoint, storeTimeout: STORE_TIMEOUT, ...(grace > 0 && { grace }) };
  const settings = { path, store, time: time.path, options };
  const members = new Members({ runtimes, settings, folder, time, lease: LEASE, isLocked, record, bounded }, processes);
  const reader = await readAllTheTime(path);
  const world = { server, members, network, record };
  let wrong;
  try {
    await members.complete();
    let session = await signIn(world);
    for (const round of rounds) {
      tell(described(round));
      await expiry(round, world);
      session = await settle(round, session, world);
    }
  } catch (error) {
    wrong = error;
  }
  record.push({ type: "over" });
  await bounded(members.close(), "the processes to end").catch((error) => (wrong ??= error));
  const read = await reader.end();
  await server.close();
  time.close();
  await rm(folder, { recursive: true, force: true });
  return { record, wrong, read, done: members.done, presentations: server.oracle.presentations, ...server.oracle.counts() };
}

/** The access token ends, everybody calls, and something happens to some of them. */
async function expiry(round, { members, network, record }) {
  const { expiry: number, clocks, callers, before, laid, fate, meanwhile, pause } = round;
  if (before.do !== "nothing") await Promise.all(members.at(before.who).map((member) => members[before.do](member)));
  await members.complete();

  record.push({ type: "expiry", number });
  members.lay(laid, pause);
  const first = network.begin(fate, meanwhile.at);
  members.pass(LATER, clocks === "both" ? LATER : 0);
  for (const member of members.living) ask(member, number, callers);
  const presenter = await bounded(first.arrival, `the first request of expiry ${number}`);
  if (meanwhile.do === "kill presenter") await members.killOwner(members.named(presenter));
  if (meanwhile.do === "stop presenter") members.stop(members.named(presenter));
  if (meanwhile.do === "kill waiting") await Promise.all(members.at(meanwhile.who).map((member) => member.name !== presenter && members.kill(member)));
  first.release();
}

function ask(member, number, callers) {
  const asked = { number, answers: member.call("ask", callers), isAnswered: false };
  const over = () => void (asked.isAnswered = true);
  // Who is gone gives none.
  asked.answers.then(over, over);
  member.asked = asked;
}

/** Collects what callers were told, and looks at what the server knows. Signs in again if the session is lost. */
async function settle({ expiry: number, callers }, session, world) {
  const { server, members, network, record } = world;
  const told = new Map();
  const named = (answers) => answers.map(({ token, ...error }) => (token === undefined ? error : { token: network.nameOf(token, "A") }));
  const collect = () =>
    members.all(async (member) => {
      if (member.asked?.number !== number) ask(member, number, callers);
      told.set(member.name, named(await member.asked.answers));
    });
  await collect();
  while (members.isAnyStill) {
    await members.atRest();
    await collect();
  }
  members.clear();
  // Some came later.
  await members.complete();
  await collect();
  await bounded(network.atRest(), `the server, to be done with the requests of expiry ${number}`);
  if (!(await server.hasSession(session))) {
    // Who has had his answer, and is gone, hears of it no more.
    for (const name of told.keys()) if (members.named(name)?.state !== "living") told.delete(name);
    await members.all(async (member) => told.get(member.name).push(...named(await member.call("hearOfTheEnd"))));
  }
  for (const [place, answers] of told) record.push({ type: "told", place, answers });
  const alive = await server.hasSession(session);
  const tokens = [...told.values()].flat().flatMap(({ token }) => token ?? []);
  record.push({ type: "looked", session, alive, active: await network.active(tokens) });
  return alive ? session : signIn(world);
}

/** A new session, of which every process takes hold. */
async function signIn({ server, members, record }) {
  const { session, tokens } = await server.signIn();
  record.push({ type: "sign-in", session });
  const [one] = members.living;
  await one.call("signIn", tokens);
  await members.all(async (member) => {
    const [{ token, error, reason }] = await member.call("takeUp");
    if (token !== tokens.access_token) throw new Error(`${member.name} did not take up the new session: ${token ? "another token" : `${error} ${reason}`}`);
  });
  return session;
}

function bounded(promise, what) {
  let timer;
  const end = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${PATIENCE / 1_000} s for ${what}`)), PATIENCE);
  });
  return Promise.race([promise, end]).finally(() => clearTimeout(timer));
}
