/** Shows what somebody else's code threw, where a developer looks for it. */

/** `what` says which code it was. */
export function report(error: unknown, what: string): void {
  const { reportError } = globalThis as { reportError?: (error: unknown) => void };
  if (reportError === undefined) console.error(`refresh-coordinator: ${what}`, error);
  else reportError(error);
}
