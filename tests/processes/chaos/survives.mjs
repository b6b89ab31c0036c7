// One chaos run among processes as a test: with a seed, the same plan. SEED, EXPIRIES and PROCESSES are other ones.

import assert from "node:assert/strict";
import test from "node:test";

import { judge, traced } from "../../chaos/judge.mjs";
import { described, plan } from "./plan.mjs";
import { run } from "./run.mjs";

const PROCESSES = Number(process.env.PROCESSES ?? 8);
const EXPIRIES = Number(process.env.EXPIRIES ?? 6);
const SEED = process.env.SEED ?? "1";

/**
 * @param title of the way in which the processes keep out of each other's way
 * @param loses whether a session may be lost at all
 */
export function survivesChaos(title, { loses, ...how }) {
  const promise = loses ? "no session lost without a cause" : "no session lost";
  test(`${title}: ${PROCESSES} processes, ${EXPIRIES} expiries, seed ${SEED}: one rotation each, and ${promise}`, async (t) => {
    const rounds = plan({ seed: `${SEED} ${title}`, expiries: EXPIRIES, processes: PROCESSES });
    const { record, wrong, read, done, ...counts } = await run({ ...how, rounds, processes: PROCESSES, tell: process.env.TELL ? console.log : () => {} });
    const sentences = [...judge(record), ...read.wrong.map((what) => `a reader found ${what}`)];
    if (read.versions < EXPIRIES) sentences.push(`the reader saw ${read.versions} versions only`);
    const lost = record.filter((entry) => entry.alive === false);
    if (!loses && lost.length > 0) sentences.push(`${lost.length} sessions were lost`);
    for (const line of traced(record)) t.diagnostic(line);
    t.diagnostic(`${title}, seed ${SEED}: ${JSON.stringify({ ...counts, lost: lost.length, ...done, reads: read.reads, versions: read.versions })}`);
    if (wrong === undefined && sentences.length === 0) return;
    const said = record.map((entry) => JSON.stringify(entry));
    assert.fail([`${title}, seed ${SEED}`, ...sentences, wrong?.stack ?? "", "the plan:", ...rounds.map(described), "the record:", ...said].join("\n"));
  });
}
