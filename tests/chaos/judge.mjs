// The rules of a chaos run, over what was recorded of it. Pure: the same record, the same judgement.
//
// | entry | members | recorded |
// | --- | --- | --- |
// | `sign-in` | `session` | a session begins, of which every place takes hold |
// | `expiry` | `number` | the access token ends |
// | `leaves` | `place`, `by`, `perhaps`, `harmless` | something is about to end a place, to stop it or to cut it off, or will perhaps: from now on it may be gone; `harmless`: it must cost no session |
// | `began` | `place`, `sleeps` | its coordinator is made, in a place that the browser ends as it likes, or not |
// | `ended`, `back` | `place` | it is gone for good; it goes on after it was stopped |
// | `presented` | `id`, `by`, `token` | a refresh token arrives at the server, sent by the place `by` |
// | `lost` | `id` | the reply to that request never left, although the server did all it had to do |
// | `rotated`, `reused`, `refused` | `id`, `session` | what the server says it made of a request |
// | `told` | `place`, `answers` | what the callers of a place got: `{ token }`, or `{ error, reason }` |
// | `silent` | `place` | its callers got nothing at all |
// | `looked` | `session`, `alive`, `active` | what the server knows afterwards: of the session, and the access tokens that are good |
// | `over` | | what comes after is clearing up |

import { vanished } from "./vanished.mjs";

/** What is wrong, in sentences. Empty: nothing. */
export function judge(whole) {
  const end = whole.findIndex(({ type }) => type === "over");
  const record = end === -1 ? whole : whole.slice(0, end);
  const wrong = vanished(record);
  const again = repetitions(record);
  const excused = new Set();
  const say = (number, text) => wrong.push(`expiry ${number}: ${text}`);
  for (const { number, entries, from } of expiries(record)) {
    const of = (type) => entries.filter((entry) => entry.type === type);
    const looked = of("looked").at(-1);
    if (looked === undefined) {
      say(number, "the run ended before it was over");
      continue;
    }
    for (const { place } of of("silent")) say(number, `the callers of ${place} were told nothing`);
    for (const place of living(record, from + entries.indexOf(looked))) {
      if (!entries.some((entry) => ["told", "silent"].includes(entry.type) && entry.place === place)) say(number, `${place} was not asked`);
    }

    const once = of("rotated").filter((rotation) => !again.has(rotation)).length;
    if (once !== 1) say(number, `${once} rotations`);
    let accounted = 0;
    for (const reuse of entries.filter((entry) => again.has(entry))) {
      const cause = causes(record, reuse).find((cause) => !excused.has(cause));
      excused.add(cause);
      accounted += cause === undefined || reuse.type !== "reused" ? 0 : 1;
      if (cause === undefined) say(number, `${described(record, reuse)} was a reuse without a cause`);
    }
    if (!looked.alive && accounted === 0) say(number, "the session was lost without a cause");
    // Once the session is lost, the server refuses whatever is left of it.
    const loss = entries.findIndex(({ type }) => type === "reused");
    for (const refusal of of("refused")) {
      if (loss === -1 || entries.indexOf(refusal) < loss) say(number, `${described(record, refusal)} was refused while the session lived`);
    }
    for (const text of looked.alive ? misled(of("told"), looked.active, of("rotated").length > once) : misinformed(of("told"))) say(number, text);
  }
  return wrong;
}

/** Every token that was presented once more after it was used up, and what somebody did that may have been why. */
export function traced(record) {
  return [...repetitions(record)].map((reuse) => {
    const did = causes(record, reuse).map((cause) => record[cause]);
    const why = did.map(({ type, place, by, id }) => (type === "lost" ? `the reply to request ${id} was lost` : `${place} met ${by}`));
    return `${described(record, reuse)} was ${reuse.type === "reused" ? "reused" : "rotated once more"}, after ${why.join(" and ") || "nothing"}`;
  });
}

/** What the server said of tokens that were used up before. If it still accepts the previous one, it says that it has rotated it once more. */
function repetitions(record) {
  const tokens = new Map(record.flatMap(({ type, id, token }) => (type === "presented" ? [[id, token]] : [])));
  const usedUp = new Set();
  const isAgain = ({ type, id }) => {
    if (type === "reused") return true;
    if (type !== "rotated") return false;
    const again = usedUp.has(tokens.get(id));
    usedUp.add(tokens.get(id));
    return again;
  };
  return new Set(record.filter(isAgain));
}

/** The entries of each expiry. What comes between two belongs to the one before. */
function expiries(record) {
  const starts = record.flatMap(({ type }, index) => (type === "expiry" ? [index] : []));
  return starts.map((start, index) => ({
    number: record[start].number,
    from: start,
    entries: record.slice(start, starts[index + 1]),
  }));
}

/** The places whose coordinators are there at a moment. */
function living(record, until) {
  const places = new Set();
  for (const { type, place } of record.slice(0, until)) {
    if (type === "began" || type === "back") places.add(place);
    if (type === "ended" || type === "leaves") places.delete(place);
  }
  return places;
}

/**
 * Why a token may have been presented once more: the reply to whoever presented it before was lost; or one of the two was gone, or
 * stood still, when the server saw the second. Each is the place in the record of what somebody did.
 */
function causes(record, reuse) {
  const until = record.indexOf(reuse);
  const presented = record.filter(({ type }) => type === "presented");
  const second = presented.find(({ id }) => id === reuse.id);
  if (second === undefined) return [];
  const all = presented.filter(({ token }) => token === second.token);
  const from = record.indexOf(all[0]);
  const lost = record.flatMap(({ type, id }, index) => (type === "lost" && index < until && all.some((one) => one.id === id) ? [index] : []));
  const gone = record.flatMap(({ type, place, by }, index) => {
    if (type !== "leaves" || by === undefined || record[index].harmless || index > until || !all.some((one) => one.by === place)) return [];
    const back = record.findIndex((entry, later) => later > index && entry.place === place && ["back", "ended"].includes(entry.type));
    if (record[index].perhaps && (back === -1 || record[back].type === "back")) return [];
    // What came back before the token went out the first time, has nothing to do with it; unless it was about to send that token.
    return back === -1 || record[back].type === "ended" || back > from || wasAboutTo(record, index, second.token) ? [index] : [];
  });
  return [...lost, ...gone];
}

/** Did a place stop between its claim and its request, and was this the token? */
function wasAboutTo(record, index, token) {
  const { by, place } = record[index];
  const sent = record.find((entry, later) => later > index && entry.type === "presented" && entry.by === place);
  return by === "stop at request" && sent?.token === token;
}

/** The session lives: everybody has the same token, and it is good. A token that was rotated twice has two good successors. */
function misled(told, active, twice) {
  const wrong = [];
  const answers = told.flatMap(({ place, answers }) => answers.map((answer) => ({ place, ...answer })));
  for (const { place, error, reason } of answers) {
    if (error !== undefined) wrong.push(`${place} was told ${named({ error, reason })} although the session lives`);
  }
  const tokens = [...new Set(answers.flatMap(({ token }) => (token === undefined ? [] : [token])))];
  if (tokens.length > (twice ? 2 : 1)) wrong.push(`callers were given different tokens: ${tokens.join(", ")}`);
  for (const token of tokens) {
    if (!active.includes(token)) wrong.push(`callers were given ${token}, which the server does not accept`);
  }
  return wrong;
}

/** The session is lost: everybody hears of it in the end, and why. */
function misinformed(told) {
  return told.flatMap(({ place, answers }) => {
    const last = answers.at(-1);
    const right = last?.error === "RevokedError" && last.reason === "response-lost";
    return right ? [] : [`${place} was told ${named(last ?? {})} and not that the session is over with a lost reply`];
  });
}

const named = ({ token, error, reason }) => token ?? [error, reason].filter(Boolean).join(" ");

function described(record, { id }) {
  const { by, token } = record.find((entry) => entry.type === "presented" && entry.id === id) ?? {};
  return `request ${id} of ${by} with ${token}`;
}
