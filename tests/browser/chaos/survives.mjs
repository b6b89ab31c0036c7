// One chaos run as a test: with a seed, the same plan. SEED, EXPIRIES and TABS are other ones.

import assert from "node:assert/strict";
import test from "node:test";

import { judge } from "../../chaos/judge.mjs";
import { described, imitated, leftOut, plan } from "./plan.mjs";
import { run } from "./run.mjs";

const TABS = Number(process.env.TABS ?? 6);
const EXPIRIES = Number(process.env.EXPIRIES ?? 12);
const SEED = process.env.SEED ?? "1";

/** A browser whose driver does not survive a kill runs so many expiries, the last of which kills. */
const STRETCH = 25;

export function survivesChaos(engine) {
  const can = engine.can;
  for (const [index, expiries] of stretches(can).entries()) {
    const seed = index === 0 ? SEED : `${SEED}.${index}`;
    test(`${TABS} tabs and three workers, ${expiries} expiries, seed ${seed}: one rotation each, and no session lost without a cause`, async (t) => {
      const list = (deeds) => deeds.join(", ") || "nothing";
      t.diagnostic(`${engine.name} leaves out ${list(leftOut(can))} and imitates ${list(imitated(can))}`);
      const rounds = plan({ seed, expiries, tabs: TABS, can });
      const browser = await engine.launch();
      t.after(() => browser.close());
      const { record, wrong, ...counts } = await run(browser, { can, seed, rounds, tabs: TABS, tell: process.env.TELL ? console.log : () => {} });
      const sentences = judge(record);
      t.diagnostic(`seed ${seed}: ${JSON.stringify(counts)}, sessions lost with a cause: ${record.filter((entry) => entry.alive === false).length}`);
      if (wrong === undefined && sentences.length === 0) return;
      const title = `seed ${seed}, ${TABS} tabs, ${expiries} expiries`;
      const said = record.map((entry) => JSON.stringify(entry));
      assert.fail([title, ...sentences, wrong?.stack ?? "", "the plan:", ...rounds.map(described), "the record:", ...said].join("\n"));
    });
  }
}

function stretches({ kill, goOnAfterKill }) {
  if (!kill || goOnAfterKill) return [EXPIRIES];
  const full = Array.from({ length: Math.floor(EXPIRIES / STRETCH) }, () => STRETCH);
  return EXPIRIES % STRETCH === 0 ? full : [...full, EXPIRIES % STRETCH];
}
