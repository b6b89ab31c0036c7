/** Listening by the function that the user has given: one attempt after the other, for as long as it is wanted. */

import type { MaybePromise } from "../types.js";
import type { Ears, Listening } from "./hints.js";

/**
 * Listens on a channel of the database (`LISTEN` of Postgres), on a connection of its own, until the function it returns is called.
 * Calls `heard` with the payload of each notification, and `lost` when the connection has ended: then it is called again.
 */
export type SqlListen = (
  channel: string,
  heard: (payload: string) => void,
  lost: () => void,
) => MaybePromise<() => unknown>;

/** The time between two attempts, in milliseconds: doubled each time. */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 10_000;

export function sqlListening(listen: SqlListen, channel: string, ears: Ears): Listening {
  let wanted = true;
  let stop: (() => unknown) | undefined;
  let pause = FIRST_PAUSE;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function attempt(): Promise<void> {
    let live = true;
    const lost = () => {
      if (!live) return;
      live = false;
      if (stop === mine) stop = undefined;
      again();
    };
    let mine: (() => unknown) | undefined;
    try {
      mine = await listen(channel, (payload) => live && wanted && ears.heard(payload), lost);
    } catch {
      return lost();
    }
    if (!wanted || !live) return end(mine);
    stop = mine;
    pause = FIRST_PAUSE;
    ears.begun();
  }

  function again(): void {
    if (!wanted) return;
    timer = setTimeout(() => void attempt(), pause);
    (timer as { unref?: () => void }).unref?.();
    pause = Math.min(2 * pause, LONGEST_PAUSE);
  }

  void attempt();
  return {
    isReady: () => stop !== undefined,
    close() {
      wanted = false;
      clearTimeout(timer);
      const last = stop;
      stop = undefined;
      end(last);
    },
  };
}

/** What fails at the end harms nobody. */
function end(stop: (() => unknown) | undefined): void {
  void (async () => stop?.())().catch(() => {});
}
