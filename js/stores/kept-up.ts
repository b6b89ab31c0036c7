/** A connection that is made again whenever it is lost, for as long as it is wanted. No timer of it keeps a process alive. */

import type { MaybePromise } from "../types.js";
import { unheld } from "../unheld.js";

/** Makes the connection, and resolves with what ends it. `lost` is to be called when it ends by itself. */
type Connect = (lost: () => void) => MaybePromise<() => unknown>;

/** The time between two attempts, in milliseconds: doubled each time. */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 5_000;

/** Begins at once. `made` is called each time the connection is there. */
export function keptUp(connect: Connect, made: () => void): { isReady(): boolean; close(): void } {
  let wanted = true;
  let stop: (() => unknown) | undefined;
  let pause = FIRST_PAUSE;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function attempt(): Promise<void> {
    let live = true;
    let mine: (() => unknown) | undefined;
    const lost = () => {
      if (!live) return;
      live = false;
      if (stop === mine) stop = undefined;
      again();
    };
    try {
      mine = await connect(lost);
    } catch {
      return lost();
    }
    if (!wanted || !live) return end(mine);
    stop = mine;
    pause = FIRST_PAUSE;
    made();
  }

  function again(): void {
    if (!wanted) return;
    timer = unheld(setTimeout(() => void attempt(), pause));
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
