/** Versions for stores that have no counter of their own. */

import { webCrypto } from "../web-crypto.js";

/** Length in bytes: so many that none is ever drawn twice, also after a delete, an expiry, or the loss of all data. */
const BYTES = 16;

/** Length of a version as text. */
export const VERSION_LENGTH = 2 * BYTES;

/** A version that nobody has used. */
export async function freshVersion(): Promise<string> {
  const bytes = (await webCrypto()).getRandomValues(new Uint8Array(BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
