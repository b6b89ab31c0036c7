/** Where this page or worker is. */

/** Its address, where there is one. */
export function pageLocation(): string | undefined {
  const { location } = globalThis as { location?: { href?: unknown } };
  return typeof location?.href === "string" ? location.href : undefined;
}
