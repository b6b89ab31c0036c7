/** The members of a coordinator, as code that uses one needs them: whether it is here or in a worker. Types only. */

import type { RefreshCoordinator } from "../coordinator.js";

/**
 * A coordinator, wherever it is: a {@link RefreshCoordinator} is one, and what `connect` returns is one.
 *
 * All members are bound, none is an `async` function: calls with the same demand and no signal get the same promise while it is open.
 */
export interface Coordinator
  extends Pick<
    RefreshCoordinator,
    | "getTokens"
    | "getAccessToken"
    | "refresh"
    | "renew"
    | "setTokens"
    | "signOut"
    | "fetch"
    | "run"
    | "subscribe"
    | "getSnapshot"
    | "stats"
    | "close"
  > {}
