// `npm run story:page [runs]`: presses "Expire + 100 callers" on both halves of the page, each time in a fresh browser profile,
// and counts how often each half was signed out.
//
// The exit code is 0 only if the package's half was never signed out and served every caller.

import { chromium } from "playwright-core";

import { chromiumPath } from "../tests/programs.mjs";
import { HALVES, startPageServer } from "./server/page-server.mjs";

const runs = Number(process.argv[2] ?? 100);
if (!Number.isInteger(runs) || runs < 1) throw new Error("how many runs? A whole number, 1 or more");

const sums = Object.fromEntries(HALVES.map((half) => [half, { signedOut: 0, asked: 0, served: 0, presented: 0 }]));
const server = await startPageServer();
const browser = await chromium.launch({ executablePath: chromiumPath(), args: ["--no-sandbox"] });
console.log(`Chromium ${browser.version()}; ${runs} runs of one expiry under 100 callers in five tabs\n`);
try {
  for (let run = 1; run <= runs; run += 1) {
    const results = await play();
    for (const half of HALVES) count(sums[half], results[half]);
    if (process.stdout.isTTY) process.stdout.write(`\r  ${run} of ${runs}`);
  }
} finally {
  await browser.close();
  await server.close();
}

console.log(`${process.stdout.isTTY ? "\r" : ""}  half          signed out   callers served   token presented`);
for (const half of HALVES) {
  const { signedOut, asked, served, presented } = sums[half];
  const cells = [`${signedOut} of ${runs}`.padStart(12), `${served} of ${asked}`.padStart(16), `${presented} times`.padStart(14)];
  console.log(`  ${half.padEnd(12)}${cells.join("  ")}`);
}
const { signedOut, asked, served } = sums.coordinated;
process.exitCode = signedOut === 0 && served === asked ? 0 : 1;

/** One run on a page of its own: both halves at once, as the button above them does it. */
async function play() {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(server.origin);
    await page.click("#both:enabled");
    await page.waitForSelector("#both:enabled[data-played]");
    return await page.evaluate(() => Object.fromEntries([...document.querySelectorAll("[data-half]")].map((root) => [root.dataset.half, { ...root.dataset }])));
  } finally {
    await context.close();
  }
}

function count(sum, { alive, asked, served, presented }) {
  if (alive !== "true") sum.signedOut += 1;
  sum.asked += Number(asked);
  sum.served += Number(served);
  sum.presented += Number(presented);
}
