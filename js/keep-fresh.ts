/**
 * When a context asks for tokens ahead of need, so that no caller has to wait: one that is seen before one that is hidden, and no two
 * at the same moment.
 *
 * Whoever asks first refreshes, and the others hear of it. That only one of them presents is the core's business.
 */

import { hostClock } from "./clock.js";
import { ConfigurationError, InteractionRequiredError, NoSessionError, RevokedError, TransientError } from "./errors.js";
import type { Clock } from "./types.js";

/** Between these moments a held token set is refreshed ahead of need. Milliseconds, on both clocks. */
export interface AdvisoryWindow {
  readonly advisoryWall: number;
  readonly advisoryMonotonic: number;
  readonly mandatoryWall: number;
  readonly mandatoryMonotonic: number;
}

/** The clocks are looked at this often, in milliseconds: a timer that slept with the machine, or was throttled, comes late. */
const TICK = 60_000;
/** After a refresh that brought nothing new: the shortest and the longest pause, in milliseconds. */
const [SHORTEST, LONGEST] = [5_000, 60_000];
/** Nobody is signed in any more, or not yet. */
const OVER = [RevokedError, NoSessionError];
/** Nothing changes by asking again: the user must act, or somebody correct an option. */
const STANDING = [InteractionRequiredError, ConfigurationError];

/**
 * How long to wait before asking, in milliseconds.
 *
 * @param luck from 0 to 1, drawn once for each token set
 */
export function untilAsking(window: AdvisoryWindow, wall: number, monotonic: number, luck: number, visible: boolean): number {
  // Windows of any size may have been given, also none ahead of the mandatory one.
  const length = Math.max(0, window.mandatoryWall - window.advisoryWall);
  const opens = Math.min(
    Math.min(window.advisoryWall, window.mandatoryWall) - wall,
    Math.min(window.advisoryMonotonic, window.mandatoryMonotonic) - monotonic,
  );
  return opens + length * (visible ? luck / 4 : 1 / 2 + luck / 4);
}

/** How long to wait after so many refreshes in a row that brought nothing new, in milliseconds. */
export function pauseAfter(vain: number, luck: number): number {
  return Math.min(LONGEST, SHORTEST * 2 ** (vain - 1)) * (1 / 2 + luck / 2);
}

/** Keeps one context's tokens fresh while somebody wants that. */
export class KeepFresh {
  readonly #clock: Clock;
  readonly #ask: () => Promise<unknown>;
  readonly #look: () => Promise<unknown>;
  #wanted = 0;
  #running = false;
  /** What is held; nothing while it is not known what there is. */
  #window: AdvisoryWindow | undefined;
  /** Why there is nothing to do: there is no session, or its tokens cannot be refreshed until there are others. */
  #dormant: "over" | "standing" | undefined;
  #luck = Math.random();
  /** Refreshes in a row that brought nothing new, and until when that is waited out: monotonic clock. */
  #vain = 0;
  #notBefore = -Infinity;
  #wakeUp: () => void = () => {};

  /** `look` says what there is, without a request; `ask` refreshes. */
  constructor(clock: Clock, look: () => Promise<unknown>, ask: () => Promise<unknown>) {
    this.#clock = clock;
    this.#look = look;
    this.#ask = ask;
  }

  /** Does anybody want it? */
  get active(): boolean {
    return this.#wanted > 0;
  }

  /** Begins. Returns a function that ends it; it goes on until all of them were called. */
  start(): () => void {
    this.#wanted += 1;
    if (!this.#running) void this.#run();
    let stopped = false;
    return () => {
      if (stopped) return;
      stopped = true;
      this.#wanted -= 1;
      this.#wakeUp();
    };
  }

  /** For good. */
  end(): void {
    this.#wanted = -Infinity;
    this.#wakeUp();
  }

  /** A token set is held. */
  held(window: AdvisoryWindow): void {
    if (this.#window?.mandatoryWall === window.mandatoryWall) return;
    this.#window = window;
    this.#dormant = undefined;
    this.#luck = Math.random();
    this.#vain = 0;
    this.#notBefore = -Infinity;
    this.#wakeUp();
  }

  /** Signed out, or revoked. */
  over(): void {
    this.#window = undefined;
    this.#dormant = "over";
    this.#wakeUp();
  }

  /** Time may have passed unnoticed, or the page is seen again. */
  wake(): void {
    this.#wakeUp();
  }

  async #run(): Promise<void> {
    this.#running = true;
    if (this.#window === undefined) await this.#try(this.#look);
    while (this.active) {
      const wait = this.#due();
      if (wait <= 0) {
        await this.#try(this.#ask);
        continue;
      }
      await this.#sleep(Math.min(wait, TICK));
      // Somebody may have signed in, and nobody has said so here.
      if (this.active && this.#dormant !== undefined) await this.#try(this.#look);
    }
    this.#running = false;
  }

  #due(): number {
    if (this.#dormant !== undefined || isOffline()) return Infinity;
    try {
      const monotonic = this.#clock.monotonic();
      const pause = this.#notBefore - monotonic;
      if (pause > 0) return pause;
      if (this.#window === undefined) return 0;
      const wait = untilAsking(this.#window, this.#clock.now(), monotonic, this.#luck, isVisible());
      return Number.isNaN(wait) ? TICK : wait;
    } catch {
      // A user's clock that throws: nothing is known, and callers refresh when they must.
      return TICK;
    }
  }

  async #try(attempt: () => Promise<unknown>): Promise<void> {
    const window = this.#window;
    try {
      await attempt();
      // There is a session, with tokens or without any that are still good.
      if (this.#dormant === "over") this.#dormant = undefined;
      // The tokens that were there before: asked too early, or the refresh failed while they are still good.
      if (attempt === this.#ask && this.#window === window) this.#pause();
    } catch (error) {
      // Otherwise it speaks of tokens that have been replaced meanwhile.
      if (this.#window !== window) return;
      if (OVER.some((over) => error instanceof over)) this.over();
      else if (STANDING.some((standing) => error instanceof standing)) this.#dormant = "standing";
      else this.#pause(error instanceof TransientError ? error.retryAt : undefined);
    }
  }

  #pause(retryAt?: number): void {
    this.#vain += 1;
    try {
      const left = retryAt === undefined ? 0 : Math.min(retryAt - this.#clock.now(), LONGEST);
      this.#notBefore = this.#clock.monotonic() + Math.max(left, pauseAfter(this.#vain, Math.random()));
    } catch {
      this.#dormant = "standing";
    }
  }

  /** Until so much time has passed, or something has changed. */
  async #sleep(ms: number): Promise<void> {
    const abort = new AbortController();
    const woken = new Promise<void>((resolve) => (this.#wakeUp = resolve));
    const before = hostClock.monotonic();
    const sleep = (clock: Clock) => Promise.resolve(clock.sleep(ms, abort.signal)).catch(() => {});
    try {
      const moment = this.#clock.monotonic();
      await Promise.race([sleep(this.#clock), woken]);
      // A user's clock whose sleep never lasts must not keep this one running for ever.
      if (this.#clock.monotonic() === moment && hostClock.monotonic() - before < ms) await Promise.race([sleep(hostClock), woken]);
    } catch {
      await Promise.race([sleep(hostClock), woken]);
    } finally {
      abort.abort();
      this.#wakeUp = () => {};
    }
  }
}

/** A worker has no document, and nobody sees it. */
function isVisible(): boolean {
  return (globalThis as { document?: Document }).document?.visibilityState === "visible";
}

/** The browser knows that nothing can be sent. Elsewhere nobody says so. */
function isOffline(): boolean {
  return (globalThis as { navigator?: { onLine?: boolean } }).navigator?.onLine === false;
}
