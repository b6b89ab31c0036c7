/**
 * `fetch` with the bearer token (RFC 6750 section 2.1): to allowed origins only, and once more with another token after a 401.
 */

import { asksForAnotherToken } from "./challenge.js";
import { wrongArgument } from "./errors.js";
import { noAccessToken } from "./mirror.js";
import { isStream, sendFollowing } from "./redirects.js";
import type { TokenSet } from "./types.js";

/** What is needed of a coordinator. */
export interface TokenSource {
  getTokens(signal: AbortSignal | undefined): Promise<TokenSet>;
  /** Another access token of the same session than this one, which was refused; `undefined` if there is none to be had. */
  replace(refused: TokenSet, signal: AbortSignal | undefined): Promise<string | undefined>;
  /** The token that replaced another one was refused as well. */
  refusedAnew(accessToken: string): void;
  fetch(input: string, init: RequestInit): unknown;
  /** Where the token may be sent. */
  origins: ReadonlySet<string>;
  /** Where relative addresses lead; only in a page. */
  location: string | undefined;
}

/** Types of token that another scheme than `Bearer` sends (RFC 9449, draft-ietf-oauth-v2-http-mac). */
const OTHER_SCHEMES = /^(?:dpop|mac)$/i;

export async function bearerFetch(
  source: TokenSource,
  input: string | URL | Request,
  init: RequestInit | undefined,
): Promise<Response> {
  const given = typeof Request !== "undefined" && input instanceof Request ? input : undefined;
  const url = addressOf(given?.url ?? String(input), source.location);
  if (!/^https?:$/.test(url.protocol) || !source.origins.has(url.origin)) {
    throw new TypeError(`auth.fetch may not send the token to ${url.origin}: it is not among the option \`origins\``);
  }
  const request = plain(given, init);
  // The caller's own word wins, and is the caller's own business.
  if (request.headers.has("authorization")) return (await source.fetch(url.href, request)) as Response;

  const signal = request.signal ?? undefined;
  const tokens = await source.getTokens(signal);
  const { reply, sawToken } = await sendFollowing(source, url, withToken(request, bearer(tokens)));
  if (!sawToken || !isRefusal(reply) || isStream(request.body)) return reply;
  const another = await source.replace(tokens, signal);
  if (another === undefined || another === tokens.accessToken) return reply;
  // Nobody reads the refusal's body; an unread one would keep its connection.
  await reply.body?.cancel().catch(() => {});
  const second = await sendFollowing(source, url, withToken(request, another));
  if (second.sawToken && isRefusal(second.reply)) source.refusedAnew(another);
  return second.reply;
}

function addressOf(address: string, location: string | undefined): URL {
  try {
    return new URL(address, location);
  } catch (cause) {
    const why = location === undefined ? ": only in a page may it be relative" : "";
    throw new TypeError(`auth.fetch needs the address of a resource, not ${JSON.stringify(address)}${why}`, { cause });
  }
}

function isRefusal(reply: Response): boolean {
  return asksForAnotherToken(reply.status, reply.headers.get("www-authenticate"));
}

/** The access token, if it is one to be sent as `Bearer`. */
function bearer({ accessToken, tokenType }: TokenSet): string {
  if (accessToken === undefined) throw noAccessToken();
  if (tokenType === undefined || !OTHER_SCHEMES.test(tokenType)) return accessToken;
  throw wrongArgument("token-type", `auth.fetch sends bearer tokens, and this one is of the type ${tokenType}: take it from getTokens()`);
}

/** The members of a request, with headers that can be changed. */
export type Plain = RequestInit & { headers: Headers };

/** The members of a request, wherever they come from: those of `init` win. */
function plain(given: Request | undefined, init: RequestInit | undefined): Plain {
  const headers = new Headers(init?.headers ?? given?.headers);
  const own = Object.fromEntries(Object.entries(init ?? {}).filter(([, value]) => value !== undefined));
  if (given === undefined) return { ...own, headers };
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
  return { ...from, ...own, headers };
}

function withToken(request: Plain, token: string): Plain {
  const headers = new Headers(request.headers);
  headers.set("authorization", `Bearer ${token}`);
  return { ...request, headers };
}
