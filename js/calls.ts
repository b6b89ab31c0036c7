/** What members do with their arguments and promises, wherever the coordinator is. */

import { wrongArgument } from "./errors.js";
import type { RefreshOptions, RenewOptions } from "./types.js";

const REFRESH_OPTIONS = ["rejected", "mintedAfterNow", "signal", "params"];

/** What is wrong with the argument of `refresh`, as far as its names go. A misspelt `rejected` would cause a rotation. */
export function wrongRefresh(options: unknown): string | undefined {
  if (typeof options !== "object" || options === null) {
    return "`refresh` takes an object: { rejected, mintedAfterNow, signal, params }";
  }
  const unknown = Object.keys(options).find((name) => !REFRESH_OPTIONS.includes(name));
  if (unknown === undefined) return undefined;
  return `\`refresh\` has no option \`${unknown}\`: it takes { rejected, mintedAfterNow, signal, params }`;
}

/** What is wrong with what `refresh` is to bring. */
export function wrongDemand(options: RefreshOptions): string | undefined {
  const { rejected, mintedAfterNow } = options;
  // Also `undefined`, where it is given: a caller who has lost the token it speaks of must not cause a rotation.
  if ("rejected" in options && (typeof rejected !== "string" || rejected === "")) {
    return "`rejected` must be the access token that was refused, a string";
  }
  return mintedAfterNow !== undefined && typeof mintedAfterNow !== "boolean" ? "`mintedAfterNow` must be true or false" : undefined;
}

/** What is wrong with what `renew` is to bring. */
export function wrongRenewal({ newer, mintedAfterNow, canPersist }: RenewOptions): string | undefined {
  const given = Object.entries({ newer, mintedAfterNow, canPersist });
  const wrong = given.find(([, value]) => value !== undefined && typeof value !== "boolean");
  return wrong && `\`${wrong[0]}\` must be true or false`;
}

/** What is wrong with the last argument of a member. */
export function wrongOptions(options: unknown): string | undefined {
  if (typeof options !== "object" || options === null) return "the last argument must be an object: { signal, params }";
  return isSignal(options) ? "the signal is to be given as { signal }" : undefined;
}

/** The event that a listener gets: the members are bound, so one may be handed over as a listener. */
export function isEvent(value: unknown): boolean {
  return typeof value === "object" && value !== null && typeof (value as Partial<Event>).preventDefault === "function";
}

export function isSignal(value: unknown): value is AbortSignal {
  return typeof value === "object" && value !== null && "aborted" in value && "addEventListener" in value;
}

/** What is sometimes handed over in the place of tokens. */
export function mistakenForTokens(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  try {
    const { then, json, error } = value as { then?: unknown; json?: unknown; error?: unknown };
    if (typeof then === "function") return "a promise of them: await it first";
    if (typeof json === "function") return "the Response: hand over what its json() resolves with";
    const granted = ["access_token", "accessToken", "refresh_token", "refreshToken"].some((name) => name in value);
    return typeof error === "string" && !granted ? "a refusal: the reply has an `error`" : undefined;
  } catch {
    // The core says what cannot be read.
    return undefined;
  }
}

/** A promise of its own for one caller, who may leave. */
export function detachable<T>(shared: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const leave = () => reject(signal.reason as Error);
    signal.addEventListener("abort", leave, { once: true });
    const stay = () => signal.removeEventListener("abort", leave);
    shared.then(
      (value) => (stay(), resolve(value)),
      (error: unknown) => (stay(), reject(error as Error)),
    );
  });
}

export function refused<T>(code: string, message: string): Promise<T> {
  return handled(Promise.reject(wrongArgument(code, message)));
}

/** Marked, so that nobody has to look at it. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
