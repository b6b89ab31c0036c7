// Looks for secrets, in whole or in part, in what must not hold one. Pure.

/** What tokens are made of. Elsewhere no part of one can be. */
const RUNS = /[A-Za-z0-9_-]+/g;

/** So many characters in a row are a part. */
export const LEAST = 12;

/**
 * Where there is a part of a secret.
 *
 * @param texts by the names of the places where they are
 * @returns the names of the places, and the first part that was found in each
 */
export function found(texts, secrets, least = LEAST) {
  const parts = new Set(secrets.flatMap((secret) => windows(secret, least)));
  const first = (text) => {
    for (const [run] of text.matchAll(RUNS)) {
      const part = windows(run, least).find((part) => parts.has(part));
      if (part !== undefined) return part;
    }
  };
  return Object.entries(texts).flatMap(([place, text]) => {
    const part = first(text);
    return part === undefined ? [] : [{ place, part }];
  });
}

const windows = (text, length) => Array.from({ length: Math.max(0, text.length - length + 1) }, (_, at) => text.slice(at, at + length));
