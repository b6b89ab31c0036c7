// One run of the cluster as a test: with a seed, the same plan.

import assert from "node:assert/strict";
import test from "node:test";

import { judge } from "./judge.mjs";
import { described, plan } from "./plan.mjs";
import { run } from "./run.mjs";
import { found } from "./secrets.mjs";

/**
 * @param settings `database`, `mode`, `seed`, `sessions`, `expiries`, `processes`, `lifetime` of an access token in seconds, and in
 *   milliseconds: the `timeout` of one attempt, the `patience` of a browser, and for how long the database is `cut` off
 */
export function survives(settings) {
  const { database, mode, seed, sessions, expiries, processes, timeout } = settings;
  const title = `${processes} processes on ${database}, ${sessions} sessions in ${mode} mode, ${expiries} expiries, seed ${seed}`;
  test(`${title}: no token is presented again and no session lost without a cause, and no token is found`, async (t) => {
    const drawn = plan({ ...settings, pause: 1.5 * timeout + 1_000 });
    const { record, texts, secrets, control, counts } = await run(t, { ...settings, plan: drawn });
    const { wrong, again, losses } = judge(record, { timeout, expiries });
    const missed = Object.keys(texts).filter((place) => found({ [place]: texts[place] }, [control]).length === 0);
    const leaks = found(texts, secrets);
    for (const line of summary({ record, again, losses, counts, secrets, texts })) t.diagnostic(line);
    const sentences = [
      ...wrong,
      ...missed.map((place) => `the search did not find its control in ${place}`),
      ...leaks.map(({ place, part }) => `a part of a token was found in ${place}: ${part}`),
    ];
    if (sentences.length === 0) return;
    const said = about(sentences, record).map((entry) => JSON.stringify(entry));
    assert.fail([title, ...sentences, "the plan:", ...described(drawn), "of the record, what these are about:", ...said].join("\n"));
  });
}

/** What is recorded of the sessions that the sentences name, and what was done to everybody. */
function about(sentences, record) {
  const sessions = new Set(sentences.flatMap((sentence) => sentence.match(/user-\d+/g) ?? []));
  const keys = new Set(record.flatMap(({ session, key }) => (key !== undefined && sessions.has(session) ? [key] : [])));
  const toEverybody = ["began", "ended", "leaves", "back", "stood still", "database dies", "database is cut off", "database is back"];
  return record.filter(({ type, session, key, event }) => toEverybody.includes(type) || sessions.has(session) || keys.has(key) || keys.has(event?.session));
}

function summary({ record, again, losses, counts, secrets, texts }) {
  const tally = (list) => Object.entries(list.reduce((sums, name) => ({ ...sums, [name]: (sums[name] ?? 0) + 1 }), {})).map(([name, sum]) => `${sum} × ${name}`).join(", ") || "none";
  const of = (...types) => record.filter(({ type }) => types.includes(type));
  const told = of("told");
  return [
    JSON.stringify(counts),
    `done to them: ${tally([...of("leaves").map(({ by }) => by), ...of("lost").map(() => "lost"), ...of("database dies", "database is cut off").map(({ type }) => type)])}`,
    `stood still by themselves: ${tally(of("stood still").map(({ ms }) => `${Math.floor(ms / 1000)} s`))}`,
    `answers: ${tally(told.map(({ error }) => (error ? `${error.name} ${error.reason ?? error.code}` : "tokens")))}`,
    ...again.map(({ presentation: { token, session, by, number }, cause }) => `again: presentation ${number}, ${token} of session ${session} by ${by}: ${cause?.is ?? "no cause"}`),
    `presented again: ${tally(again.map(({ cause }) => cause?.is ?? "no cause"))}`,
    `sessions lost: ${tally(losses.map(({ reason, cause }) => `${reason}, ${cause}`))}`,
    `looked for ${secrets.length} tokens in ${Object.values(texts).reduce((sum, { length }) => sum + length, 0)} characters`,
  ];
}
