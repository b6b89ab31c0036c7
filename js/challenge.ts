/** Reads `WWW-Authenticate` (RFC 9110 section 11.6.1): what a resource server says about the token it refused. */

const BEARER = /(?:^|,)\s*(?:bearer|dpop)\s+/i;
const PARAMETER = /([a-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/giy;

/** The `error` of a Bearer or DPoP challenge (RFC 6750 section 3.1, RFC 9449 section 7.1), if it names one. */
export function challengeError(header: string | null): string | undefined {
  const scheme = header === null ? null : BEARER.exec(header);
  if (header === null || scheme === null) return undefined;
  PARAMETER.lastIndex = scheme.index + scheme[0].length;
  for (;;) {
    const parameter = PARAMETER.exec(header);
    if (parameter === null) return undefined;
    const [, name, quoted, bare] = parameter;
    if (name?.toLowerCase() === "error") return quoted === undefined ? bare : quoted.replace(/\\(.)/g, "$1");
    const comma = /\s*,\s*/y;
    comma.lastIndex = PARAMETER.lastIndex;
    if (comma.exec(header) === null) return undefined;
    PARAMETER.lastIndex = comma.lastIndex;
  }
}

/** Can another access token help? Not where the scope or the way the user signed in is not enough (RFC 6750, RFC 9470). */
export function asksForAnotherToken(status: number, header: string | null): boolean {
  if (status !== 401) return false;
  const error = challengeError(header);
  return error !== "insufficient_scope" && error !== "insufficient_user_authentication";
}
