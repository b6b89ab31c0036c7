/** What the entry `worker` needs of a coordinator and users do not: by a symbol, since the two may come from two copies of the package. */

import type { TokenSet } from "./types.js";

export const INSIDE: unique symbol = Symbol.for("refresh-coordinator.inside");

export interface Inside {
  /** The session that a token set is of, which was handed out. */
  sessionOf(tokens: TokenSet): string | undefined;
  /** Looks at the record and asks nobody for anything. Settles when the snapshot says what there is; never rejects. */
  look(): Promise<void>;
  /** Was the option `waitUntil` given? */
  readonly waits: boolean;
}
