/** Listening by the function that the user has given. */

import type { MaybePromise } from "../types.js";
import type { Ears, Listening } from "./hints.js";
import { keptUp } from "./kept-up.js";

/**
 * Listens on a channel of the database (`LISTEN` of Postgres), on a connection of its own, until the function it returns is called.
 * Calls `heard` with the payload of each notification, and `lost` when the connection has ended: then it is called again.
 */
export type SqlListen = (
  channel: string,
  heard: (payload: string) => void,
  lost: () => void,
) => MaybePromise<() => unknown>;

export function sqlListening(listen: SqlListen, channel: string, ears: Ears): Listening {
  let wanted = true;
  const connect = (lost: () => void) => listen(channel, (payload) => wanted && ears.heard(payload), lost);
  const { isReady, close } = keptUp(connect, () => ears.begun());
  return {
    isReady,
    close() {
      wanted = false;
      close();
    },
  };
}
