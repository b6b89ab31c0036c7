/**
 * What a page and the worker that has its coordinator say to each other. Must not know how it is carried.
 *
 * No library for calls between threads: what makes this hard is what such libraries leave to their users. A service worker must
 * be kept alive by the very event that brought a call, a call must settle although its worker is gone, errors must keep their
 * class, and callers with one demand share a promise. What is left then is a handful of messages.
 */

import type { ErrorFields, ErrorKind } from "../core.js";
import type { CoordinatorEvent, Snapshot, Stats } from "../types.js";

/** Names the envelope. Its value is the version, so that every version can tell another one. Never changes. */
export const TAG = "refresh-coordinator";

/** Goes up with every change that an older version would take for something else. */
export const PROTOCOL = 1;

/** What a coordinator does for a page. The rest of its members work in the page. */
export const MEMBERS = ["getTokens", "refresh", "renew", "setTokens", "signOut"] as const;
export type Member = (typeof MEMBERS)[number];

/** In every message. */
export interface Envelope {
  readonly [TAG]: number;
  /** Which coordinator of the worker. */
  readonly name: string;
}

/** From a page. `from` names its connection, also after it has been made anew. */
export type Ask =
  /** I am here: what is the snapshot, and tell me of every change. */
  | { readonly type: "hello"; readonly from: string }
  /** An `id` that comes twice is one call. */
  | { readonly type: "call"; readonly from: string; readonly id: number; readonly member: Member; readonly args: readonly unknown[] }
  | { readonly type: "ping"; readonly from: string }
  /** I go, or rest in the back/forward cache. */
  | { readonly type: "bye"; readonly from: string };

/** What the worker shows of its coordinator. */
export interface State {
  readonly snapshot: ToldSnapshot;
  readonly stats: Stats;
}

/** From the worker. `life` is another one each time it is started. */
export type Tell =
  | ({ readonly type: "welcome"; readonly to: string; readonly life: string } & State)
  | ({ readonly type: "news"; readonly life: string; readonly event?: CoordinatorEvent } & State)
  | ({ readonly type: "answer"; readonly to: string; readonly life: string; readonly id: number; readonly outcome: Outcome } & State)
  | { readonly type: "pong"; readonly to: string; readonly life: string }
  /** To one of another version, whose message was not read any further. Never changes. */
  | { readonly type: "version"; readonly to: unknown };

/** How a call ended. `session`: the one that the token set is of. */
export type Outcome = { readonly value: unknown; readonly session?: string | undefined } | { readonly error: ToldError };

export type ToldError = ErrorFields & { readonly kind: ErrorKind };
export type ToldSnapshot = Omit<Snapshot, "error"> & { readonly error: ToldError | undefined };

export function envelop<M extends Ask | Tell>(name: string, message: M): M & Envelope {
  return { [TAG]: PROTOCOL, name, ...message };
}

/** Is it one of these messages, of whatever version? Others use the same connections for messages of their own. */
export function isEnvelope(data: unknown): data is Envelope & { type?: unknown; from?: unknown; to?: unknown } {
  if (typeof data !== "object" || data === null) return false;
  const { [TAG]: version, name } = data as Partial<Envelope>;
  return typeof version === "number" && typeof name === "string";
}
