/** The option `lag` of stores that may answer with what is no longer so. */

/** @throws TypeError if it is no number of milliseconds, 0 or more. */
export function checkLag(lag: number): void {
  if (typeof lag === "number" && lag >= 0 && lag < Infinity) return;
  throw new TypeError("`lag` must be a number of milliseconds");
}
