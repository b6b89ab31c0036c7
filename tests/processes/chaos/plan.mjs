// What is to happen in a chaos run among processes: drawn from a seed before anything begins, so that it can be printed, and run again.
//
// Pure. A plan says what is done at each expiry, not who refreshes: that is for the processes to settle.

import { Random } from "../../chaos/random.mjs";

/** Done to processes before the access token ends. */
const BEFORE = ["nothing", "nothing", "kill", "end"];
/** What lies in the way of whoever gets there first: `member/points.mjs`. */
const LAID = ["nothing", "kill claim", "kill request", "kill reply", "kill commit", "stop claim", "stop request", "stop reply", "stop commit"];
/** Done while the first request is at the server: to who sent it, or to some who wait. */
const MEANWHILE = ["nothing", "nothing", "kill presenter", "stop presenter", "kill waiting"];
/** What becomes of the first request of an expiry. */
const FATES = ["answered", "answered", "answered", "late", "unavailable", "request lost", "reply lost"];
/** What a write is made of. Before the rename it is undecided who writes, after it what is written. */
const OPERATIONS = ["mkdir", "open", "writeFile", "sync", "close", "link", "rename", "rename", "rename", "open again", "sync again", "unlink"];

/** One round for each expiry. */
export function plan({ seed, expiries, processes }) {
  const random = new Random(seed);
  const [before, laid, meanwhile, fate] = [BEFORE, LAID, MEANWHILE, FATES].map((cards) => random.deck(cards));
  const some = (most) => Array.from({ length: random.between(1, most) }, () => random.between(0, processes - 1));

  const round = (_, index) => {
    const becomes = fate();
    const deed = meanwhile();
    const first = before();
    return {
      expiry: index + 1,
      clocks: random.pick(["both", "both", "wall"]),
      callers: random.between(1, 5),
      before: first === "nothing" ? { do: first } : { do: first, who: some(processes / 4) },
      // Mostly one, sometimes two in a row.
      laid: [laid(), ...(random.share() < 0.25 ? [laid()] : [])].filter((deed) => deed !== "nothing").map((deed) => placed(random, deed)),
      fate: becomes === "late" ? { is: becomes, ms: random.between(20, 600) } : { is: becomes },
      meanwhile: {
        // A reply that is lost cannot also wait.
        at: ["answered", "late"].includes(becomes) ? random.pick(["request", "reply"]) : "request",
        do: deed,
        ...(deed === "kill waiting" && { who: some(processes / 4) }),
      },
      /** For how long whoever stopped stands still beyond its lease, in real milliseconds. */
      pause: random.between(50, 500),
    };
  };
  return Array.from({ length: expiries }, round);
}

function placed(random, deed) {
  const [what, point] = deed.split(" ");
  return { do: what, at: ["claim", "commit"].includes(point) ? `${point} ${random.pick(OPERATIONS)}` : point };
}

/** A round in one line. */
export function described({ expiry, clocks, callers, before, laid, fate, meanwhile, pause }) {
  const parts = [
    `clocks ${clocks}`,
    `${callers} callers`,
    before.do !== "nothing" && `before: ${before.do} ${before.who.join(", ")}`,
    ...laid.map(({ do: deed, at }) => `${deed} at ${at}`),
    fate.is !== "answered" && `first ${fate.is}${fate.ms === undefined ? "" : ` ${fate.ms} ms`}`,
    meanwhile.do !== "nothing" && `at the ${meanwhile.at}: ${[meanwhile.do, meanwhile.who?.join(", ")].filter(Boolean).join(" ")}`,
    `pauses ${pause} ms`,
  ];
  return `${expiry}: ${parts.filter(Boolean).join(", ")}`;
}
