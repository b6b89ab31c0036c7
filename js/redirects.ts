/**
 * Redirects of a request that carries a token: to another origin it goes without.
 *
 * The Fetch standard says so too, but not every `fetch` obeys; so where redirects can be seen they are followed here. In a
 * page they cannot (an opaque redirect), and there the browser's own rule holds.
 */

import type { Plain, TokenSource } from "./bearer-fetch.js";

/** As in the Fetch standard. */
const MOST = 20;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** A reply, and whether it is one to our token: a redirect may have led elsewhere. */
export interface Answered {
  readonly reply: Response;
  readonly sawToken: boolean;
}

/** Sends the request, and follows redirects unless the caller wants to see them. */
export async function sendFollowing(source: TokenSource, url: URL, request: Plain): Promise<Answered> {
  const inPage = source.location !== undefined;
  if (inPage || (request.redirect ?? "follow") !== "follow") {
    const reply = (await source.fetch(url.href, request)) as Response;
    return { reply, sawToken: !reply.redirected || new URL(reply.url).origin === url.origin };
  }
  let [at, sent] = [url, request];
  for (let count = 0; count <= MOST; count += 1) {
    const reply = (await source.fetch(at.href, { ...sent, redirect: "manual" })) as Response;
    const location = REDIRECTS.has(reply.status) ? reply.headers.get("location") : null;
    if (location === null) return { reply, sawToken: sent.headers.has("authorization") };
    const next = new URL(location, at);
    if (!/^https?:$/.test(next.protocol)) throw new TypeError(`redirected to an address that is not http: ${next.protocol}`);
    sent = redirected(sent, reply.status, next.origin !== at.origin);
    await reply.body?.cancel().catch(() => {});
    at = next;
  }
  throw new TypeError("redirected too often");
}

/** A stream can be sent only once. */
export function isStream(body: unknown): boolean {
  return typeof body === "object" && body !== null && ("getReader" in body || Symbol.asyncIterator in body);
}

/** The request as it goes on (Fetch standard, HTTP-redirect fetch). */
function redirected(request: Plain, status: number, elsewhere: boolean): Plain {
  const { body, method = "GET", ...rest } = request;
  const headers = new Headers(request.headers);
  if (elsewhere) for (const name of ["authorization", "cookie", "proxy-authorization"]) headers.delete(name);
  const becomesGet = (status === 303 && !/^(?:get|head)$/i.test(method)) || (status < 303 && /^post$/i.test(method));
  if (becomesGet) {
    for (const name of ["content-encoding", "content-language", "content-length", "content-location", "content-type"]) headers.delete(name);
    return { ...rest, method: "GET", headers };
  }
  if (isStream(body)) {
    throw new TypeError("redirected, and the body is a stream, which can be sent only once");
  }
  return { ...rest, method, headers, ...(body === undefined ? {} : { body }) };
}
