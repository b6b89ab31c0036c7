// What is to happen in a run of the cluster: drawn from a seed before anything begins, so that it can be printed, and run again.
//
// Pure. Everything happens at a presentation, by its number, and not at a time: a slow machine meets the same. Who presents then is for
// the processes to settle.

import { Random } from "../chaos/random.mjs";

/** What becomes of one presentation, and how many of a thousand meet it. */
const FATES = [
  { is: "late", of: 30 },
  { is: "request lost", of: 2 },
  { is: "reply lost", of: 2 },
  // Whoever presents is killed when the server has the request; when it has answered; and with the reply in its hands.
  { is: "killed", at: "request", of: 2 },
  { is: "killed", at: "reply", of: 2 },
  { is: "killed", at: "commit", of: 2 },
];

/** What is done to a process, or to the database, and how often in a thousand presentations. */
const DEEDS = [
  { do: "kill", of: 2 },
  { do: "stop", of: 0.4 },
  // Once it has claimed, and is about to send.
  { do: "stop before it sends", of: 0.4 },
  { do: "database dies", of: 0.4 },
  { do: "database is cut off", of: 0.4 },
];

/**
 * @param pause for how long a process stands still: longer than an intent lives. In milliseconds
 * @param cut for how long the database is cut off, in milliseconds
 * @returns `fates` by the number of the presentation, and `deeds` in order
 */
export function plan({ seed, sessions, expiries, processes, pause, cut }) {
  const random = new Random(seed);
  const all = sessions * expiries;
  const often = (of) => Array.from({ length: Math.max(1, Math.round((all * of) / 1_000)) });
  const moment = moments(random, all, [...FATES, ...DEEDS].flatMap(({ of }) => often(of)).length);
  const slot = random.deck(Array.from({ length: processes }, (_, index) => index));

  const fates = new Map(FATES.flatMap(({ of, ...fate }) => often(of).map(() => [moment(), fate.is === "late" ? { ...fate, ms: random.between(20, 600) } : fate])));
  const deeds = DEEDS.flatMap(({ of, ...deed }) => often(of).map(() => ({ at: moment(), ...deed })));
  for (const deed of deeds) {
    if (!deed.do.startsWith("database")) deed.slot = slot();
    if (deed.do.startsWith("stop")) deed.ms = pause + random.between(0, 1_000);
    if (deed.do === "database is cut off") deed.ms = cut;
  }
  return { fates, deeds: deeds.sort((one, other) => one.at - other.at) };
}

/** Moments to draw from: each in a stretch of its own, neither before everybody is there nor when most are done. */
function moments(random, all, count) {
  const [first, stretch] = [all * 0.1, (all * 0.75) / count];
  return random.deck(Array.from({ length: count }, (_, index) => Math.ceil(first + index * stretch + random.share() * (stretch - 1))));
}

/** A plan in lines. */
export function described({ fates, deeds }) {
  const fate = ([number, { is, at, ms }]) => [number, `presentation ${number}: ${[is, at && `at the ${at}`, ms && `by ${ms} ms`].filter(Boolean).join(" ")}`];
  const deed = ({ at, do: name, slot, ms }) => [at, `at presentation ${at}: ${[name, slot !== undefined && `(process ${slot + 1})`, ms && `for ${ms} ms`].filter(Boolean).join(" ")}`];
  const lines = [...[...fates].map(fate), ...deeds.map(deed)];
  return lines.sort(([one], [other]) => one - other).map(([, line]) => line);
}
