// Time per call beside the least that shares a promise, interleaved in one run.

import { fresh, join, median } from "./measure.mjs";
import { coordinator, map } from "./subjects.mjs";

const ROUNDS = 15;
const FRESH_CALLS = 200_000;
const CALLERS = 10_000;

const ns = (number) => `${number.toFixed(0)} ns`.padStart(9);

/** Measures, and prints by `line`. */
export async function calls(line) {
  const subjects = [map(), await coordinator()];
  const results = subjects.map(() => ({ fresh: [], join: [], wake: [] }));

  // One round more than is counted: the first warms up.
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [index, subject] of subjects.entries()) {
      globalThis.gc?.();
      const ns = await fresh(subject, FRESH_CALLS);
      globalThis.gc?.();
      const flight = await join(subject, CALLERS);
      if (round === 0) continue;
      results[index].fresh.push(ns);
      results[index].join.push(flight.join);
      results[index].wake.push(flight.wake);
    }
  }
  for (const subject of subjects) subject.close?.();

  console.log(`Node ${process.versions.node}, medians of ${ROUNDS} interleaved rounds\n`);
  line("", subjects.map(({ name }) => name.padStart(26)).concat("ratio".padStart(7)));
  for (const [what, pick] of [
    [`fresh token, awaited (${FRESH_CALLS.toLocaleString("en")} calls)`, (result) => median(result.fresh)],
    [`join a flight (${CALLERS.toLocaleString("en")} callers), per caller`, (result) => median(result.join)],
    ["be woken by it, per caller", (result) => median(result.wake)],
    ["both", (result) => median(result.join.map((time, round) => time + result.wake[round]))],
  ]) {
    const [floor, ours] = results.map(pick);
    line(what, [ns(floor).padStart(26), ns(ours).padStart(26), `${(ours / floor).toFixed(2)}`.padStart(7)]);
  }
}
