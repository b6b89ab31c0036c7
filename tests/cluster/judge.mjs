// The rules of a run of the cluster, over what was recorded of it: by the run, by the authorization server, and by every process until its
// end. Pure: the same record, the same judgement.
//
// | entry | members | recorded |
// | --- | --- | --- |
// | `sign-in` | `session` | a session begins |
// | `began`, `ended` | `place` | a process is there; it is gone |
// | `leaves`, `back` | `place`, `by` | it is about to be killed, or stopped; it goes on |
// | `stood still` | `place`, `ms` | it notices that for so long it did nothing, and nobody had stopped it |
// | `write`, `read` | `place`, `key`, `outcome` | what the store said to it: "done", "conflict" or "failed" |
// | `event` | `place`, `event` | what its coordinator told |
// | `sends` | `place`, `id` | a refresh token leaves it |
// | `gave up` | `place`, `id` | it does not wait for the reply any longer |
// | | `line` | of these five: their order within the process |
// | `presented` | `id`, `sent`, `by`, `token`, `session`, `key` | it arrives at the server; `sent` is the id it left with |
// | `lost` | `id` | the reply to it, or the request itself, is lost on purpose |
// | `rotated`, `reused`, `refused` | `id`, `session` | what the server made of it |
// | `told` | `session`, `token`, `of`, `good`, or `error` | what a browser was told: an access token, of which session, and whether it is good |
// | `silent` | `session` | a browser got neither tokens nor the end of the session, for all its patience |
// | `looked` | `session`, `alive`, `rotations` | what the server knows afterwards |
// | `over` | | what comes after is clearing up |

import { vanished } from "../chaos/vanished.mjs";

/** What a browser may be told while its session lives: not now. */
const NOT_NOW = ["TransientError", "StoreError", "BadGateway", "no response"];

/** For so long a refusal is remembered at least, in milliseconds. */
const REMEMBERED = 60_000;

/**
 * @param timeout of one attempt, in milliseconds: who stands still for less is not late
 * @param expiries of each session
 * @returns `wrong`: what is wrong, in sentences; `again`: every token that was presented once more, and why; `losses`
 */
export function judge(whole, { timeout, expiries }) {
  const end = whole.findIndex(({ type }) => type === "over");
  const record = end === -1 ? whole : whole.slice(0, end);
  const wrong = [...vanished(record), ...(end === -1 ? ["the run broke off"] : [])];
  const sight = new Sight(record, timeout);
  const again = sight.tokens.flatMap(({ all }) => traced(all, sight));
  for (const { presentation, cause } of again) {
    if (cause === undefined) wrong.push(`${sentence(presentation)}, again, without a cause`);
  }
  for (const presentation of sight.presented) {
    if (!sight.hasClaimed(presentation)) wrong.push(`${sentence(presentation)} without a claim`);
  }
  const sessions = record.filter(({ type }) => type === "sign-in").map(({ session }) => judgeSession(session, sight.of(session), again, expiries));
  return { wrong: [...wrong, ...sessions.flatMap(({ wrong }) => wrong)], again, losses: sessions.flatMap(({ loss }) => loss ?? []) };
}

function judgeSession(session, entries, again, expiries) {
  const wrong = [];
  const say = (text) => wrong.push(`session ${session}: ${text}`);
  const looked = entries.findLast(({ type }) => type === "looked");
  if (looked === undefined) return { wrong: [`session ${session}: nobody looked what became of it`] };
  const reuse = entries.findIndex(({ type }) => type === "reused");
  const ending = entries[reuse] && again.find(({ presentation }) => presentation.id === entries[reuse].id);
  entries.forEach(({ type, id, token, of, good, error }, index) => {
    const lives = reuse === -1 || index < reuse;
    if (type === "silent") say("its browser was told nothing that helps");
    if (type === "refused" && lives) say(`request ${id} was refused while it lived`);
    if (token !== undefined && type === "told" && of !== session) say(`its browser was given ${token}, which is of ${of}`);
    if (token !== undefined && type === "told" && lives && !good) say(`its browser was given ${token}, which the server does not accept`);
    if (error && lives && !NOT_NOW.includes(error.name)) say(`its browser was told ${named(error)} while it lived`);
    if (error && NOT_NOW.includes(error.name) && !error.retryable) say(`its browser was told ${named(error)} as if there were no use in trying again`);
  });
  if (looked.alive) {
    if (reuse !== -1) say("it lives after a reuse: the server is not as strict as it should be");
    if (looked.rotations < expiries) say(`only ${looked.rotations} rotations`);
    return { wrong };
  }
  if (ending?.cause === undefined) say("it was lost without a cause");
  const last = entries.findLast(({ type }) => type === "told");
  const reason = last?.error?.reason;
  const allowed = ["response-lost", ...(ending?.cause?.nobodyKnows ? ["unknown"] : [])];
  if (last?.error?.name !== "RevokedError" || !allowed.includes(reason)) say(`it was lost, and its browser was told ${named(last?.error ?? last ?? {})}`);
  return { wrong, loss: { session, reason, cause: ending?.cause?.is } };
}

/** Every presentation of a token but the first, and why it was presented again. Each cause excuses one. */
function traced(all, sight) {
  const excused = new Set();
  return all.slice(1).map((presentation, index) => {
    const before = all.slice(0, index + 1);
    const cause = causes(before, presentation, sight).find(({ entry }) => !excused.has(entry));
    if (cause) excused.add(cause.entry);
    return { presentation, cause };
  });
}

/** `nobodyKnows`: the session went on with the successor before it was lost, so that whoever has that knows of no lost reply. */
function causes(before, presentation, sight) {
  const until = presentation.at;
  const found = [];
  for (const earlier of before) {
    const { id, by } = earlier;
    for (const entry of sight.lost(id)) found.push({ is: "its reply was dropped", entry });
    const stored = sight.storedBy(earlier);
    for (const entry of sight.kills(by)) {
      if (entry.at < until && entry.at < stored) found.push({ is: "its owner was killed after presenting it", entry });
    }
    const since = sight.claimedBy(earlier) ?? earlier.at;
    for (const { entry, from, to, is } of sight.pauses(by)) {
      if (from < until && from < stored && to > since) found.push({ is: `its owner ${is} between send and commit`, entry, nobodyKnows: true });
    }
    // The session is lost already: nothing more can be.
    const refusal = sight.refusalOf(earlier);
    for (const entry of refusal === undefined ? [] : sight.failedAfter(earlier)) {
      if (entry.at < until) found.push({ is: "its session was over, and the store did not take that", entry });
    }
    if (refusal?.type === "refused" && until - refusal.at >= REMEMBERED) found.push({ is: "its session was over, as the server had said more than a minute before", entry: refusal });
    for (const entry of sight.gaveUp(earlier)) {
      if (entry.at <= until) found.push({ is: "its reply came later than its owner waits", entry });
    }
  }
  const { by } = presentation;
  const claimed = sight.claimedBy(presentation) ?? Infinity;
  for (const { entry, from, to, is } of sight.pauses(by)) {
    if (from >= claimed && to <= until) found.push({ is: `its owner ${is} between claim and send`, entry, nobodyKnows: true });
  }
  for (const entry of sight.kills(by)) {
    if (entry.at < until) found.push({ is: "its owner was killed after presenting it, and it arrived late", entry, nobodyKnows: true });
  }
  return found;
}

/** A record, by what is looked for in it. */
class Sight {
  #by = {};
  #timeout;

  constructor(record, timeout) {
    this.#timeout = timeout;
    this.presented = record.filter(({ type }) => type === "presented");
    const index = (name, types, of) => {
      this.#by[name] = new Map();
      for (const entry of record) {
        if (!types.includes(entry.type)) continue;
        const key = of(entry);
        if (!this.#by[name].has(key)) this.#by[name].set(key, []);
        this.#by[name].get(key).push(entry);
      }
    };
    index("token", ["presented"], ({ token }) => token);
    index("id", ["lost"], ({ id }) => id);
    index("place", ["leaves", "back", "ended", "stood still"], ({ place }) => place);
    index("sent", ["sends", "gave up"], ({ id }) => id);
    index("entry", ["write", "read"], ({ place, key }) => `${place} ${key}`);
    index("failure", ["event"], ({ place, event }) => `${event.type} ${place} ${event.session}`);
    index("session", ["rotated", "reused", "refused", "told", "silent", "looked"], ({ session }) => session);
  }

  get tokens() {
    return [...this.#by.token].map(([token, all]) => ({ token, all }));
  }

  of = (session) => this.#by.session.get(session) ?? [];
  lost = (id) => this.#by.id.get(id) ?? [];
  kills = (place) => this.#at(place).filter(({ type, by }) => type === "leaves" && by === "kill");

  /** Whoever sent it waited for as long as it says it does, and stored nothing of it before. */
  gaveUp(presentation) {
    const sending = this.#sending(presentation);
    const stored = this.#firstWrite(presentation)?.line ?? Infinity;
    return (this.#by.sent.get(presentation.sent) ?? []).filter(({ type, at, line }) => type === "gave up" && line < stored && at - sending.at >= 0.95 * this.#timeout);
  }

  /** When a process stood still for so long that its intent may have ended. */
  pauses = (place) => this.#still(place).filter(({ from, to }) => to - from >= this.#timeout);

  /** When it stood still: stopped, or for the lack of a processor. */
  #still(place) {
    const entries = this.#at(place);
    const stops = entries.flatMap((entry, index) => {
      if (entry.type !== "leaves" || entry.by !== "stop") return [];
      const to = entries.slice(index + 1).find(({ type }) => type === "back" || type === "ended")?.at ?? Infinity;
      return [{ entry, from: entry.at, to, is: "was paused" }];
    });
    const stalls = entries.flatMap((entry) => (entry.type === "stood still" ? [{ entry, from: entry.at - entry.ms, to: entry.at, is: "stood still for the lack of a processor" }] : []));
    return [...stops, ...stalls];
  }

  /** When what was granted for a presentation was in the store: the first write to its entry after it was sent. */
  storedBy(presentation) {
    return this.#firstWrite(presentation)?.at ?? Infinity;
  }

  /**
   * When the claim was in the store with which it was sent: a write that was done, or one of unknown outcome after which the entry was
   * read. Nothing, if it was sent without one, or with one that was old already. A process that is stopped after its last look at the
   * clock is none the wiser.
   */
  claimedBy(presentation) {
    const { line, at: sent } = this.#sending(presentation);
    const age = ({ at }) => sent - at - this.#longestPause(presentation.by, at, sent);
    return this.#done(presentation).findLast((entry) => entry.line < line && age(entry) <= this.#timeout / 2)?.at;
  }

  hasClaimed = (presentation) => this.claimedBy(presentation) !== undefined;

  /** What the server said to a presentation that brought nothing. */
  refusalOf = ({ id, session }) => this.of(session).find((entry) => entry.id === id && ["reused", "refused"].includes(entry.type));

  /** When the store failed whoever presented, afterwards. */
  failedAfter(presentation) {
    const { line } = this.#sending(presentation);
    const { by, key } = presentation;
    return (this.#by.failure.get(`store-failed ${by} ${key}`) ?? []).filter((entry) => entry.line > line);
  }

  #longestPause(place, after, before) {
    return Math.max(0, ...this.#still(place).map(({ from, to }) => Math.min(to, before) - Math.max(from, after)));
  }

  #at = (place) => this.#by.place.get(place) ?? [];
  #firstWrite(presentation) {
    const { line } = this.#sending(presentation);
    return this.#done(presentation).find((entry) => entry.type === "write" && entry.line > line);
  }

  #entries = ({ by, key }) => this.#by.entry.get(`${by} ${key}`) ?? [];
  #done = (presentation) => this.#entries(presentation).filter(({ outcome }) => outcome === "done");
  #sending = ({ sent, at }) => this.#by.sent.get(sent)?.find(({ type }) => type === "sends") ?? { at, line: Infinity };
}

const named = ({ token, name, code, reason }) => token ?? ([name, reason ?? code].filter(Boolean).join(" ") || "nothing");

const sentence = ({ number, id, by, token, session }) => `presentation ${number ?? id} of ${token} (session ${session}) by ${by}`;
