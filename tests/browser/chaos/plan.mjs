// What is to happen in a chaos run: drawn from a seed before anything begins, so that it can be printed, and run again.
//
// Pure. A plan says what is done at each expiry, not who refreshes: that is for the tabs to settle.

import { Random } from "../../chaos/random.mjs";

/** Done to a tab before anybody calls. */
const BEFORE = ["nothing", "nothing", "close", "reload", "navigate", "rest", "kill"];
/** Done while a request is on its way. */
const MEANWHILE = ["nothing", "close", "reload", "navigate", "rest", "kill", "freeze", "offline", "jump", "terminate"];
/** What becomes of the first request of an expiry. */
const FATES = ["answered", "answered", "answered", "late", "unavailable", "request lost", "reply lost"];
/** The share of messages that are lost. */
const LOST = [0, 0, 0.5, 1];

/** What an engine's driver must be able to do for it. */
const needs = { kill: "kill", freeze: "freeze" };

/** What `can` leaves out of the plan. */
export const leftOut = (can) => Object.keys(needs).filter((deed) => !can[needs[deed]]);

/** What is done without the driver. */
export const imitated = (can) => (can.offline ? [] : ["offline"]);

/**
 * One round for each expiry.
 *
 * @param can what the engine's driver can do (`engines/ENGINES.md`)
 */
export function plan({ seed, expiries, tabs, can }) {
  const random = new Random(seed);
  const possible = (deeds) => deeds.filter((deed) => !leftOut(can).includes(deed) && (deed !== "kill" || can.goOnAfterKill));
  const [before, meanwhile] = [random.deck(possible(BEFORE)), random.deck(possible(MEANWHILE))];
  const [fate, lost] = [random.deck(FATES), random.deck(LOST)];

  const round = (_, index) => {
    const becomes = fate();
    const first = deed(random, before(), random.between(0, tabs - 1));
    // Nothing else lasts beyond the deed itself.
    if (first.do === "rest") delete first.ms;
    // After its last kill such a browser obeys no more.
    const isLast = index === expiries - 1;
    const second = isLast && can.kill && !can.goOnAfterKill ? "kill" : meanwhile();
    return {
      expiry: index + 1,
      // A machine that slept may have stopped the monotonic clock.
      clocks: random.pick(["both", "both", "wall"]),
      callers: random.between(1, 5),
      lost: lost(),
      before: first,
      fate: becomes === "late" ? { is: becomes, ms: random.between(20, 600) } : { is: becomes },
      meanwhile: {
        // A reply that is lost cannot also wait.
        at: ["answered", "late"].includes(becomes) ? random.pick(["request", "request", "reply"]) : "request",
        ...deed(random, second, random.pick(["presenter", "presenter", random.between(0, tabs - 1)])),
      },
    };
  };
  return Array.from({ length: expiries }, round);
}

function deed(random, name, tab) {
  const minutes = () => random.pick([-1, 1]) * random.between(6, 25);
  switch (name) {
    case "nothing":
    case "terminate":
      return { do: name };
    case "jump":
      // A cool-down that a small jump has moved ahead would really have to be waited for.
      return { do: name, minutes: minutes() };
    case "freeze":
    case "offline":
      return { do: name, tab, ms: random.between(50, 2_500) };
    default:
      return { do: name, tab };
  }
}

/** A round in one line. */
export function described({ expiry, clocks, callers, lost, before, fate, meanwhile }) {
  const told = ({ do: name, tab, ms, minutes }) =>
    [name, tab, ms !== undefined && `${ms} ms`, minutes !== undefined && `${minutes} min`].filter((part) => part !== undefined && part !== false).join(" ");
  const parts = [
    `clocks ${clocks}`,
    `${callers} callers`,
    lost > 0 && `${lost * 100} % of messages lost`,
    before.do !== "nothing" && `before: ${told(before)}`,
    fate.is !== "answered" && `first ${fate.is.includes(" ") ? fate.is : `request ${told({ do: fate.is, ms: fate.ms })}`}`,
    meanwhile.do !== "nothing" && `at the ${meanwhile.at}: ${told(meanwhile)}`,
  ];
  return `${expiry}: ${parts.filter(Boolean).join(", ")}`;
}
