// Whether something that is told to anybody holds a piece of what must stay secret.

import assert from "node:assert/strict";
import { inspect } from "node:util";

/** Shorter pieces than this occur by chance. */
const PIECE = 10;

/** Everything that can be read off a value, own or inherited, visible or not. */
function everythingIn(value, seen = new Set()) {
  const texts = [inspect(value, { depth: 10, showHidden: true, getters: true, maxArrayLength: null, maxStringLength: null })];
  if (value === null || typeof value !== "object" || seen.has(value)) return texts.concat(String(value));
  seen.add(value);
  if (value instanceof Error) texts.push(value.message, String(value.stack), ...everythingIn(value.cause, seen));
  try {
    texts.push(JSON.stringify(value) ?? "");
  } catch {
    // What cannot be written as JSON was inspected.
  }
  return texts;
}

/** Fails if a piece of one of the secrets can be read off the value. */
export function assertNoSecrets(value, secrets) {
  const texts = everythingIn(value).join("\n");
  for (const secret of secrets) {
    for (let start = 0; start + PIECE <= secret.length; start += 1) {
      const piece = secret.slice(start, start + PIECE);
      assert.ok(!texts.includes(piece), `a piece of a secret is in ${texts.slice(0, 2_000)}`);
    }
  }
}
