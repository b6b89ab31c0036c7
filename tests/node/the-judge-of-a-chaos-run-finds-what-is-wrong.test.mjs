// The judge of the chaos runs, on records made by hand: what must fail fails, and nothing else.

import assert from "node:assert/strict";
import test from "node:test";

import { judge, traced } from "../chaos/judge.mjs";
import { leftOut, plan } from "../browser/chaos/plan.mjs";
import { described, plan as planOfProcesses } from "../processes/chaos/plan.mjs";

const session = "one";
const began = (place, more) => ({ type: "began", place, ...more });
const presented = (id, by, token = "R1") => ({ type: "presented", id, by, token });
const said = (type, id) => ({ type, id, session });
const leaves = (place, by = "kill") => ({ type: "leaves", place, by });
const told = (place, ...answers) => ({ type: "told", place, answers: answers.map((answer) => (typeof answer === "string" ? { token: answer } : answer)) });
const over = { error: "RevokedError", reason: "response-lost" };

/** One expiry with tabs `a` and `b`, both there from the beginning. */
const expiry = (...entries) => [began("a"), began("b"), { type: "sign-in", session }, { type: "expiry", number: 1 }, ...entries];
const lives = (...active) => ({ type: "looked", session, alive: true, active });
const lost = { type: "looked", session, alive: false, active: [] };

const good = expiry(presented(1, "a"), said("rotated", 1), told("a", "A1"), told("b", "A1"), lives("A1"));
/** The second presentation is a reuse; `cause` stands before the first, between the two, or after. */
const reuse = ({ before = [], between = [], after = [], tellers = [told("a", over), told("b", over)], by = "b" } = {}) =>
  expiry(...before, presented(1, "a"), said("rotated", 1), ...between, presented(2, by), said("reused", 2), ...after, ...tellers, lost);

test("one rotation and one token for all is right", () => {
  assert.deepEqual(judge(good), []);
});

test("a reuse has a cause if the reply was lost, or one of the two was gone or stood still", () => {
  assert.deepEqual(judge(reuse({ between: [{ type: "lost", id: 1 }] })), []);
  for (const by of ["kill", "close", "freeze", "rest", "offline"]) {
    assert.deepEqual(judge(reuse({ between: [leaves("a", by), { type: "back", place: "a" }] })), [], by);
  }
  const killed = [leaves("a"), { type: "ended", place: "a" }];
  assert.deepEqual(judge(reuse({ between: killed, tellers: [told("b", over)] })), []);
  assert.deepEqual(judge(reuse({ before: [leaves("a", "freeze")], between: [{ type: "back", place: "a" }] })), []);
});

test("a request that was late is a reuse with a cause, if its sender was gone", () => {
  const late = [presented(1, "a"), leaves("a"), { type: "ended", place: "a" }, presented(2, "b"), said("rotated", 2), said("reused", 1)];
  assert.deepEqual(judge(expiry(...late, told("b", "A1", over), lost)), []);
});

test("a reuse has a cause if its owner stood still between its claim and its request, also if it was the first to send", () => {
  const stood = (token) => [leaves("a", "stop at request"), { type: "back", place: "a" }, presented(0, "a", token)];
  const { length } = judge(reuse({ before: stood("R0") }));
  assert.deepEqual(judge(reuse({ before: stood("R1").slice(0, 2) })), []);
  assert.ok(length > 0, "it was another token");
});

test("a server that accepts the previous token rotates it once more, with a cause", () => {
  const twice = (...between) => expiry(presented(1, "a"), said("rotated", 1), ...between, presented(2, "b"), said("rotated", 2), told("a", "A2"), told("b", "A2"), lives("A2"));
  const reply = { type: "lost", id: 1 };
  assert.deepEqual(judge(twice(reply)), []);
  assert.deepEqual(judge([...twice(reply).slice(0, -3), told("a", "A1"), told("b", "A2"), lives("A1", "A2")]), [], "both are good");
  assert.deepEqual(judge(twice()), ["expiry 1: request 2 of b with R1 was a reuse without a cause"]);
  assert.deepEqual(traced(twice(reply)), ["request 2 of b with R1 was rotated once more, after the reply to request 1 was lost"]);
  assert.deepEqual(traced(good), []);
});

test("what may have been the cause of a reuse is told", () => {
  const killed = [leaves("a", "kill at reply"), { type: "ended", place: "a" }];
  assert.deepEqual(traced(reuse({ between: killed })), ["request 2 of b with R1 was reused, after a met kill at reply"]);
  assert.deepEqual(traced(reuse()), ["request 2 of b with R1 was reused, after nothing"]);
});

const wrong = [
  ["a reuse of which nobody knows why", reuse(), /request 2 of b with R1 was a reuse without a cause/],
  ["a reuse before the reply was lost", reuse({ after: [{ type: "lost", id: 1 }] }), /without a cause/],
  ["a reuse after somebody else was gone", reuse({ between: [began("c"), leaves("c"), { type: "ended", place: "c" }] }), /without a cause/],
  ["a reuse whose owner had come back before", reuse({ before: [leaves("a", "freeze"), { type: "back", place: "a" }] }), /without a cause/],
  ["a reuse whose owner was not gone after all", reuse({ between: [{ ...leaves("a"), perhaps: true }, { type: "back", place: "a" }] }), /without a cause/],
  ["a reuse after what must cost nothing", reuse({ between: [{ ...leaves("a", "stop at claim rename"), harmless: true }] }), /without a cause/],
  [
    "two reuses for one lost reply",
    expiry(presented(1, "a"), said("rotated", 1), { type: "lost", id: 1 }, presented(2, "b"), said("reused", 2), presented(3, "b"), said("reused", 3), told("a", over), told("b", over), lost),
    /request 3 of b with R1 was a reuse without a cause/,
  ],
  ["two rotations", expiry(presented(1, "a"), said("rotated", 1), presented(2, "b", "R2"), said("rotated", 2), told("a", "A1"), told("b", "A1"), lives("A1")), /2 rotations/],
  ["no rotation", expiry(told("a", "A1"), told("b", "A1"), lives("A1")), /0 rotations/],
  ["a session lost for no reason", expiry(presented(1, "a"), said("rotated", 1), told("a", over), told("b", over), lost), /the session was lost without a cause/],
  ["a refusal", expiry(presented(1, "a"), said("refused", 1), presented(2, "a"), said("rotated", 2), told("a", "A1"), told("b", "A1"), lives("A1")), /request 1 of a with R1 was refused while the session lived/],
  ["an error while the session lives", [...good.slice(0, -3), told("a", over), told("b", "A1"), lives("A1")], /a was told RevokedError response-lost although the session lives/],
  ["another reason", reuse({ between: [{ type: "lost", id: 1 }], tellers: [told("a", over), told("b", { error: "RevokedError", reason: "unknown" })] }), /b was told RevokedError unknown and not/],
  ["another error", reuse({ between: [{ type: "lost", id: 1 }], tellers: [told("a", over), told("b", { error: "NoSessionError", reason: "no-session" })] }), /b was told NoSessionError no-session and not/],
  ["a token of a lost session as the last word", reuse({ between: [{ type: "lost", id: 1 }], tellers: [told("a", over), told("b", over, "A1")] }), /b was told A1 and not/],
  ["different tokens", [...good.slice(0, -3), told("a", "A1"), told("b", "A2"), lives("A1", "A2")], /different tokens: A1, A2/],
  ["a token that is no good", [...good.slice(0, -1), lives()], /A1, which the server does not accept/],
  ["callers who hear nothing", [...good.slice(0, -2), { type: "silent", place: "b" }, lives("A1")], /the callers of b were told nothing/],
  ["a place that was not asked", [...good.slice(0, -2), lives("A1")], /b was not asked/],
  ["a run that broke off", good.slice(0, -1), /the run ended before it was over/],
  ["a page that is gone by itself", [...good.slice(0, 4), { type: "ended", place: "b" }, presented(1, "a"), said("rotated", 1), told("a", "A1"), lives("A1")], /b was gone although nothing was done to it/],
];

for (const [what, record, sentence] of wrong) {
  test(`wrong: ${what}`, () => {
    const found = judge(record);
    assert.ok(found.some((text) => sentence.test(text)), `found only: ${found.join("; ") || "nothing"}`);
  });
}

test("a browser may end what it may end, and what is cleared up afterwards is nobody's business", () => {
  const service = [began("worker", { sleeps: true }), ...good.slice(0, 4), { type: "ended", place: "worker" }, ...good.slice(4)];
  assert.deepEqual(judge(service), []);
  assert.deepEqual(judge([...good, { type: "over" }, { type: "ended", place: "a" }]), []);
});

test("a seed gives the same plan again, another one another, and a driver that cannot is not asked to", () => {
  const all = { kill: true, goOnAfterKill: true, freeze: true };
  const drawn = (seed, can = all) => plan({ seed, expiries: 60, tabs: 5, can });
  assert.deepEqual(drawn("1"), drawn("1"));
  assert.notDeepEqual(drawn("1"), drawn("2"));
  const deeds = (rounds) => new Set(rounds.flatMap(({ before, meanwhile }) => [before.do, meanwhile.do]));
  assert.deepEqual([...deeds(drawn("1"))].sort(), ["close", "freeze", "jump", "kill", "navigate", "nothing", "offline", "reload", "rest", "terminate"]);
  const none = { kill: false, goOnAfterKill: false, freeze: false };
  assert.deepEqual(leftOut(none), ["kill", "freeze"]);
  for (const deed of leftOut(none)) assert.equal(deeds(drawn("1", none)).has(deed), false, deed);
  // The last thing that is done to a browser whose driver does not survive it.
  const once = drawn("1", { kill: true, goOnAfterKill: false, freeze: false });
  assert.deepEqual(once.flatMap(({ expiry, before, meanwhile }) => (before.do === "kill" || meanwhile.do === "kill" ? [expiry] : [])), [60]);
});

test("so it is among processes, and every deed comes up soon", () => {
  const drawn = (seed) => planOfProcesses({ seed, expiries: 40, processes: 8 });
  assert.deepEqual(drawn("1"), drawn("1"));
  assert.notDeepEqual(drawn("1"), drawn("2"));
  const said = drawn("1").map(described).join("\n");
  for (const deed of ["kill", "stop"]) {
    for (const point of ["claim", "request", "reply", "commit"]) assert.match(said, new RegExp(`${deed} at ${point}`));
    assert.match(said, new RegExp(`${deed} presenter`));
  }
  for (const fate of ["late", "unavailable", "request lost", "reply lost"]) assert.match(said, new RegExp(`first ${fate}`));
});
