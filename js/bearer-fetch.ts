/**
 * `fetch` with the bearer token (RFC 6750 section 2.1): to allowed origins only, and once more with another token after a 401.
 */

import { asksForAnotherToken } from "./challenge.js";
import { sendFollowing } from "./redirects.js";

/** What is needed of a coordinator. */
export interface TokenSource {
  getAccessToken(signal: AbortSignal | undefined): Promise<string>;
  /** Another token than this one, which was refused. */
  replace(rejected: string, signal: AbortSignal | undefined): Promise<string | undefined>;
  fetch(input: string, init: RequestInit): unknown;
  /** Where the token may be sent. */
  origins: ReadonlySet<string>;
  /** Where relative addresses lead; only in a page. */
  location: string | undefined;
}

export async function bearerFetch(
  source: TokenSource,
  input: RequestInfo | URL,
  init: RequestInit | undefined,
): Promise<Response> {
  const given = typeof Request !== "undefined" && input instanceof Request ? input : undefined;
  const url = new URL(given?.url ?? String(input), source.location);
  if (!source.origins.has(url.origin)) {
    throw new TypeError(`auth.fetch may not send the token to ${url.origin}: it is not among the option \`origins\``);
  }
  const request = plain(given, init);
  // The caller's own word wins, and is the caller's own business.
  if (request.headers.has("authorization")) return (await source.fetch(url.href, request)) as Response;

  const signal = request.signal ?? undefined;
  const token = await source.getAccessToken(signal);
  const reply = await send(source, url, withToken(request, token));
  if (!asksForAnotherToken(reply.status, reply.headers.get("www-authenticate")) || isStream(request.body)) return reply;
  const another = await source.replace(token, signal);
  if (another === undefined || another === token) return reply;
  // Nobody reads the refusal's body; an unread one would keep its connection.
  await reply.body?.cancel().catch(() => {});
  return send(source, url, withToken(request, another));
}

/** The members of a request, with headers that can be changed. */
export type Plain = RequestInit & { headers: Headers };

/** The members of a request, wherever they come from: those of `init` win. */
function plain(given: Request | undefined, init: RequestInit | undefined): Plain {
  const headers = new Headers(init?.headers ?? given?.headers);
  if (given === undefined) return { ...init, headers };
  const { method, body, signal, redirect, credentials, cache, integrity, keepalive, mode, referrer, referrerPolicy } = given;
  const from: Record<string, unknown> = {
    ...{ method, body, signal, redirect, credentials, cache, integrity, keepalive, referrerPolicy },
    // A page's own address, and navigation, cannot be given again.
    ...(mode === "navigate" ? {} : { mode }),
    ...(referrer === "about:client" ? {} : { referrer }),
    ...(body === null ? {} : { duplex: "half" }),
  };
  // Hosts differ in which members they know, and some refuse those they do not.
  for (const name of Object.keys(from)) if (from[name] === undefined || from[name] === null) delete from[name];
  return { ...from, ...init, headers };
}

function withToken(request: Plain, token: string): Plain {
  const headers = new Headers(request.headers);
  headers.set("authorization", `Bearer ${token}`);
  return { ...request, headers };
}

/** A stream can be sent only once. */
function isStream(body: unknown): boolean {
  return typeof body === "object" && body !== null && ("getReader" in body || Symbol.asyncIterator in body);
}

function send(source: TokenSource, url: URL, request: Plain): Promise<Response> {
  return sendFollowing(source, url, request);
}
