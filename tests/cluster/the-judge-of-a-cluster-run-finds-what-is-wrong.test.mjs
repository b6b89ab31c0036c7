// The judge of the runs of the cluster, on records made by hand: what must fail fails, and nothing else. And what else such a run relies
// on: its plan, the search for tokens, and the line that is cut.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import test from "node:test";

import { judge } from "./judge.mjs";
import { Line } from "./line.mjs";
import { described, plan } from "./plan.mjs";
import { found } from "./secrets.mjs";

const TIMEOUT = 3_000;
const session = "user-1";
const revoked = (reason) => ({ name: "RevokedError", reason, retryable: false });

/** Entries in order, 10 ms apart unless they say when. The lines of a process count on. */
function recorded(...entries) {
  let at = 0;
  return entries.flat().map((entry, line) => {
    at = entry.at ?? at + 10;
    return { line, ...entry, at };
  });
}

/** Presentations have an id each, from 1, and the entry of the token as their key. */
const write = (place, key = "R1", outcome = "done") => ({ type: "write", place, key, outcome });
const sends = (place, id) => ({ type: "sends", place, id: `${place}#${id}` });
const gaveUp = (place, id) => ({ type: "gave up", place, id: `${place}#${id}` });
const arrives = (place, id, token = "R1") => ({ type: "presented", id, sent: `${place}#${id}`, by: place, token, key: token, session });
const presents = (place, id, token) => [write(place, token), sends(place, id), arrives(place, id, token)];
const said = (type, id) => ({ type, id, session });
const leaves = (place, by) => ({ type: "leaves", place, by });
const told = (answer) => ({ type: "told", session, ...(typeof answer === "string" ? { token: answer, of: session, good: true } : { error: answer }) });
const began = ["a", "b"].map((place) => ({ type: "began", place }));
const lives = (rotations = 1) => [{ type: "looked", session, alive: true, rotations }, { type: "over" }];
const lost = [{ type: "looked", session, alive: false, rotations: 1 }, { type: "over" }];

const run = (...entries) => recorded(began, { type: "sign-in", session }, ...entries);
const judged = (record) => judge(record, { timeout: TIMEOUT, expiries: 1 });

/** The token is presented by `a`, and again by `b`: a reuse, by which the session is lost. */
const reuse = ({ before = [], between = [], reason = "response-lost", second = presents("b", 2) } = {}) =>
  run(before, presents("a", 1), said("rotated", 1), between, second, said("reused", 2), write("b"), told(revoked(reason)), lost);

test("one presentation of a token, and a good token for everybody, is right", () => {
  assert.deepEqual(judged(run(presents("a", 1), said("rotated", 1), write("a"), told("A1"), lives())), { wrong: [], again: [], losses: [] });
});

test("a process may be stopped between its last look at the clock and its request", () => {
  const stopped = (until, sent) => [write("a"), leaves("a", "stop"), { type: "back", place: "a", at: until }, { ...sends("a", 1), at: sent }, arrives("a", 1), said("rotated", 1)];
  assert.deepEqual(judged(run(stopped(2_000, 2_001), told("A1"), lives())).wrong, []);
  assert.deepEqual(judged(run(stopped(9_000, 9_001), told("A1"), lives())).wrong, []);
  assert.match(judged(run(stopped(9_000, 11_000), told("A1"), lives())).wrong.join(), /without a claim/);
});

const traced = [
  ["the reply was dropped", reuse({ between: { type: "lost", id: 1 } }), "its reply was dropped"],
  ["the owner was killed before it stored anything", reuse({ between: [leaves("a", "kill"), { type: "ended", place: "a" }] }), "its owner was killed after presenting it"],
  ["the owner was paused before it stored anything", reuse({ between: [leaves("a", "stop"), { type: "back", place: "a", at: 9_000 }] }), "its owner was paused between send and commit"],
  ["the owner is still paused", reuse({ between: leaves("a", "stop"), second: [{ ...write("b"), at: 9_000 }, sends("b", 2), arrives("b", 2)] }), "its owner was paused between send and commit"],
  ["the owner had no processor", reuse({ between: { type: "stood still", place: "a", ms: 6_000, at: 6_060 } }), "its owner stood still for the lack of a processor between send and commit"],
  [
    "the second one was paused between its claim and its send",
    reuse({ before: [write("b"), sends("b", 2), leaves("b", "stop"), { type: "back", place: "b", at: 9_000 }], second: arrives("b", 2) }),
    "its owner was paused between claim and send",
  ],
  ["the owner waited for its timeout, and gave up", reuse({ between: { ...gaveUp("a", 1), at: 3_100 } }), "its reply came later than its owner waits"],
];

for (const [what, record, cause] of traced) {
  test(`a reuse has a cause: ${what}`, () => {
    const { wrong, again, losses } = judged(record);
    assert.deepEqual(wrong, []);
    assert.deepEqual(again.map((one) => one.cause.is), [cause]);
    assert.deepEqual(losses, [{ session, reason: "response-lost", cause }]);
  });
}

test("a session that is over is presented once more if the store was away when its end was to be stored", () => {
  const away = { type: "event", place: "b", event: { type: "store-failed", session: "R1" } };
  const more = (...between) => [...presents("b", 2), said("reused", 2), ...between, ...presents("c", 3), said("refused", 3)];
  const twice = (...between) => judged(run(presents("a", 1), said("rotated", 1), { type: "lost", id: 1 }, more(...between), told(revoked("response-lost")), lost));
  assert.deepEqual(twice(away).wrong, []);
  assert.match(twice().wrong.join(), /presentation 3 of R1 .*, again, without a cause/);
});

test("a session that is over is presented once more when its refusal is forgotten, after a minute", () => {
  const later = (at) => judged(run(presents("a", 1), said("rotated", 1), { type: "lost", id: 1 }, presents("b", 2), said("reused", 2), presents("b", 3, "R2"), said("refused", 3), { ...write("c", "R2"), at }, sends("c", 4), arrives("c", 4, "R2"), said("refused", 4), told(revoked("response-lost")), lost));
  assert.deepEqual(later(62_000).wrong, []);
  assert.match(later(50_000).wrong.join(), /presentation 4 of R2 .*, again, without a cause/);
});

test("who was overtaken may have handed out a successor, of which nobody knows why it is dead", () => {
  const paused = [leaves("a", "stop"), { type: "back", place: "a", at: 9_000 }];
  assert.deepEqual(judged(reuse({ between: paused, reason: "unknown" })).wrong, []);
  assert.match(judged(reuse({ between: { type: "lost", id: 1 }, reason: "unknown" })).wrong.join(), /lost, and its browser was told RevokedError unknown/);
});

const again = /presentation 2 of R1 \(session user-1\) by b, again, without a cause/;
const wrong = [
  ["a reuse of which nobody knows why", reuse(), again],
  ["a session lost by it", reuse(), /session user-1: it was lost without a cause/],
  ["a reuse after the owner had stored what it got", reuse({ between: [write("a"), leaves("a", "kill"), { type: "ended", place: "a" }] }), again],
  ["a reuse after a pause that was shorter than an intent lives", reuse({ between: [leaves("a", "stop"), { type: "back", place: "a" }] }), again],
  ["a reuse after a pause that was over before the claim", reuse({ before: [leaves("a", "stop"), { type: "back", place: "a", at: 9_000 }] }), again],
  ["a reuse after somebody else was killed", reuse({ between: [leaves("c", "kill"), { type: "ended", place: "c" }] }), again],
  ["a reuse by one who gave up too soon", reuse({ between: gaveUp("a", 1) }), again],
  ["a reuse by one who gave up on what it had stored", reuse({ between: [write("a"), { ...gaveUp("a", 1), at: 3_100 }] }), again],
  ["two presentations for one cause", run(presents("a", 1), said("rotated", 1), { type: "lost", id: 1 }, presents("b", 2), said("reused", 2), presents("b", 3), told(revoked("response-lost")), lost), /presentation 3 of R1 .*, again, without a cause/],
  ["a second presentation that harms nobody", run(presents("a", 1), presents("b", 2), said("rotated", 2), told("A1"), lives()), again],
  ["a presentation without a claim", run(sends("a", 1), arrives("a", 1), said("rotated", 1), told("A1"), lives()), /presentation 1 of R1 \(session user-1\) by a without a claim/],
  ["a presentation long after its claim", run(write("a"), { ...sends("a", 1), at: 2_000 }, arrives("a", 1), said("rotated", 1), told("A1"), lives()), /without a claim/],
  ["a presentation with a claim that the store refused", run(write("a", "R1", "conflict"), sends("a", 1), arrives("a", 1), said("rotated", 1), told("A1"), lives()), /without a claim/],
  ["a session lost for no reason", run(presents("a", 1), said("rotated", 1), told(revoked("unknown")), lost), /it was lost without a cause/],
  ["a refusal", run(presents("a", 1), said("refused", 1), told("A1"), lives()), /request 1 was refused while it lived/],
  ["an end that is none", run(presents("a", 1), said("rotated", 1), told(revoked("response-lost")), lives()), /told RevokedError response-lost while it lived/],
  ["an error that cannot be", run(presents("a", 1), said("rotated", 1), told({ name: "InternalError", code: "panic" }), told("A1"), lives()), /told InternalError panic while it lived/],
  ["no use in trying again", run(presents("a", 1), said("rotated", 1), told({ name: "StoreError", code: "store-threw", retryable: false }), told("A1"), lives()), /no use in trying again/],
  ["a token of another session", run(presents("a", 1), said("rotated", 1), { ...told("A1"), of: "user-2" }, lives()), /given A1, which is of user-2/],
  ["a token that is no good", run(presents("a", 1), said("rotated", 1), { ...told("A1"), good: false }, lives()), /given A1, which the server does not accept/],
  ["a browser that hears nothing", run({ type: "silent", session }, lives()), /told nothing that helps/],
  ["too few rotations", run(told("A1"), lives(0)), /only 0 rotations/],
  ["a lost session of which nobody is told", reuse({ between: { type: "lost", id: 1 } }).filter(({ type }) => type !== "told"), /lost, and its browser was told nothing/],
  ["a process that is gone by itself", run({ type: "ended", place: "b" }, told("A1"), lives()), /b was gone although nothing was done to it/],
  ["a run that broke off", run(told("A1"), lives()).slice(0, -1), /the run broke off/],
  ["a session of which nobody knows", run({ type: "over" }), /nobody looked what became of it/],
];

for (const [what, record, sentence] of wrong) {
  test(`wrong: ${what}`, () => {
    const sentences = judged(record).wrong;
    assert.ok(sentences.some((text) => sentence.test(text)), `found only: ${sentences.join("; ") || "nothing"}`);
  });
}

test("a seed gives the same plan again, with everything in it, and another seed another one", () => {
  const drawn = (seed, more) => described(plan({ seed, sessions: 40, expiries: 3, processes: 4, pause: 6_000, cut: 2_000, ...more }));
  assert.deepEqual(drawn("1"), drawn("1"));
  assert.notDeepEqual(drawn("1"), drawn("2"));
  const all = ["killed at the request", "killed at the reply", "killed at the commit", "request lost", "reply lost", "late", "kill (", "stop (", "stop before it sends", "database dies", "cut off"];
  for (const lines of [drawn("1"), drawn("1", { sessions: 1_000, expiries: 5, processes: 8 })]) {
    for (const what of all) assert.ok(lines.some((line) => line.includes(what)), what);
  }
});

test("a part of a token is found, and nothing else", () => {
  const token = "4SfZBXd9wVYq0eJ-k2_LmN7aT3uRhGpCxW8yKoQi1bD";
  const texts = (text) => ({ "a log": `{"key":"kNQ","text":"${text}"}`, "another log": "nothing" });
  for (const part of [token, token.slice(0, 12), token.slice(-12), `xx${token.slice(9, 21)}xx`]) {
    assert.deepEqual(found(texts(part), [token]).map(({ place }) => place), ["a log"], part);
  }
  assert.deepEqual(found(texts(token.slice(0, 11)), [token]), []);
});

test("what is said on a line that is cut arrives when it is mended, and new connections are no other line", async (t) => {
  const echo = createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await once(echo, "listening");
  const line = await Line.to(echo.address().port);
  const open = () => connect(line.port, "127.0.0.1").setEncoding("utf8");
  const [before] = [open()];
  t.after(async () => {
    before.destroy();
    await line.close();
    echo.close();
  });
  before.write("one");
  assert.deepEqual(await once(before, "data"), ["one"]);
  line.cut();
  const during = open();
  const heard = [];
  for (const socket of [before, during]) {
    socket.on("data", (text) => heard.push(text));
    socket.write("two");
  }
  // Who has no part in it is answered meanwhile.
  const beside = connect(echo.address().port, "127.0.0.1").setEncoding("utf8");
  beside.write("three");
  await once(beside, "data");
  beside.destroy();
  assert.deepEqual(heard, []);
  const all = Promise.all([before, during].map((socket) => once(socket, "data")));
  line.mend();
  await all;
  assert.deepEqual(heard, ["two", "two"]);
  during.destroy();
});
