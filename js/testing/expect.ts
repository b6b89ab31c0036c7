/** The few assertions of the contract: it runs under any test runner, and in a page, so it brings its own. */

import type { Store } from "../types.js";

/** Throws unless both are the same. `about` says what it would mean. */
export function equal(actual: unknown, expected: unknown, about = ""): void {
  if (Object.is(actual, expected)) return;
  throw new Error(`${about && `${about}: `}${short(actual)} instead of ${short(expected)}`);
}

/** Throws unless the call throws or rejects. */
export async function refuses(call: () => unknown, about: string): Promise<void> {
  try {
    await call();
  } catch {
    return;
  }
  throw new Error(`${about}: it resolved, and must throw`);
}

/** Settles with the promise, or says what never came. Generous, for it ends nothing but a test that has failed. */
export async function arrives<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}, and nothing came within ${LIMIT / 1000} s`)), LIMIT);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until the key's time to live is over. */
export async function gone(store: Store, key: string): Promise<void> {
  let wanted = true;
  const looking = (async () => {
    while (wanted && (await store.read(key)) !== undefined) await turn();
  })();
  try {
    await arrives(looking, "its time to live is over");
  } finally {
    wanted = false;
  }
}

/** Lets everything else that is ready go first. */
export const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** Less than the limit of a case in the common test runners, which could not say what was waited for. */
const LIMIT = 4_000;

const short = (value: unknown): string => (JSON.stringify(value) ?? "undefined").slice(0, 80);
