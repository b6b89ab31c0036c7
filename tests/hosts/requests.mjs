// What a server that has the package in it is asked for.

import assert from "node:assert/strict";

import { scene } from "./scene.mjs";

const REQUESTS = 20;

/** One request that plays the whole story; then many at once, each with the same cookie. Says what was done. */
export async function requested(row, url) {
  const first = await scene(row);
  const did = await first.believe(await answered(url, { task: "story", settings: first.settings }));

  const second = await scene(row);
  const cookies = Array.from({ length: REQUESTS }, () => answered(url, { task: "renew", settings: second.settings }));
  await second.believeTokens(await Promise.all(cookies));
  assert.equal(second.server.oracle.presentations, 1);
  return `${did}; ${REQUESTS} requests at once, 1 rotation`;
}

async function answered(url, question) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(question),
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text);
}
