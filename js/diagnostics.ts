/**
 * What happens, on channels of `node:diagnostics_channel`: for monitoring, which has no coordinator in its hands to subscribe to. The
 * channels are those of the process, so all copies of the package share them. Nothing is made for one that nobody listens to.
 *
 * Must not know any token, nor the session's name.
 */

import { builtin, importBuiltin, inNode } from "./builtin.js";
import type { DiagnosticsMessages } from "./types.js";

/** A channel, as Node has it. */
interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
}

type Listener = (message: unknown) => void;

interface DiagnosticsChannel {
  channel(name: string): Channel;
  subscribe(name: string, listener: Listener): void;
  unsubscribe(name: string, listener: Listener): void;
}

const MODULE = "node:diagnostics_channel";
const PREFIX = "refresh-coordinator:";

type Name = keyof DiagnosticsMessages;
type TypeOf<N extends Name> = N extends `${typeof PREFIX}${infer Type}` ? Type : never;

let found = usable(builtin(MODULE));
/** Until an older Node has handed its module over, a moment after this package was loaded, nothing is published. */
const loading: Promise<void> =
  found === undefined && inNode ? importBuiltin(MODULE).then((module) => void (found = usable(module))) : Promise.resolve();
// Where there is none, nobody can have subscribed.
loading.catch(() => {});

/** Kept: an older Node forgets a channel that only its subscribers know. */
const channels = new Map<string, Channel>();

/** Other hosts have it in part, or for show. */
function usable(module: unknown): DiagnosticsChannel | undefined {
  const { channel, subscribe } = (module ?? {}) as Partial<DiagnosticsChannel>;
  return typeof channel === "function" && typeof subscribe === "function" ? (module as DiagnosticsChannel) : undefined;
}

/** The channel for messages of this type, if anybody listens to it: what nobody hears need not be made. */
export function heard(type: TypeOf<Name>): Channel | undefined {
  if (found === undefined) return undefined;
  let channel = channels.get(type);
  if (channel === undefined) channels.set(type, (channel = found.channel(PREFIX + type)));
  return channel.hasSubscribers ? channel : undefined;
}

/** Publishes later: no subscriber runs inside of the core, nor inside of a caller's call. */
export function publish(channel: Channel, message: DiagnosticsMessages[Name]): void {
  queueMicrotask(() => channel.publish(message));
}

/** Listens to one channel, where there are any. Returns a function that ends it. */
export function listen<N extends Name>(name: N, listener: (message: DiagnosticsMessages[N]) => void): () => void {
  let ended = false;
  const begin = () => {
    if (!ended) found?.subscribe(name, listener as Listener);
  };
  if (found === undefined) loading.then(begin, () => {});
  else begin();
  return () => {
    ended = true;
    found?.unsubscribe(name, listener as Listener);
  };
}
