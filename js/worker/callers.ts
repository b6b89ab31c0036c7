/**
 * Who calls this worker: pages at the ports of a shared worker, clients of a service worker, the owner of a dedicated one.
 *
 * Listens as soon as it is loaded, for a `connect` that nobody heard never comes again, and a service worker must have its
 * listeners from the start. Who calls before somebody serves is heard then. Never listens on a page, where anybody may call.
 */

import { type Ask, type Envelope, envelop, isEnvelope, PROTOCOL, type Tell } from "./protocol.js";

/** Where an answer goes. */
export interface Caller {
  post(message: Tell & Envelope): void;
  /** Is it told of changes here? Clients of a service worker are found anew each time: it forgets them when it is stopped. */
  readonly stays: boolean;
}

/** Keeps a service worker alive until the promise is settled. */
type Hold = (until: Promise<unknown>) => void;

/** Hears one message. Returns what must be waited for. */
export type Hear = (message: Ask & Envelope, caller: Caller) => Promise<unknown> | undefined;

/** The part of these scopes that is needed; TypeScript has them in libraries that exclude the one for pages. */
interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: string, listener: (event: Incoming) => void): void;
  start?(): void;
}
interface Incoming {
  readonly data: unknown;
  readonly ports: readonly Port[];
  readonly origin: string;
  readonly source: Port | null;
  waitUntil?: Hold;
}
interface Clients {
  matchAll(options: { includeUncontrolled: boolean; type: "all" }): Promise<readonly Port[]>;
}

const scope = globalThis as unknown as Port & { clients: Clients; location: { origin: string } } & Record<string, unknown>;

const hearers = new Map<string, Hear>();
/** Messages that came before anybody served. More than this many were sent to a name that nobody will ever serve. */
const waiting: { message: Ask & Envelope; caller: Caller; hold: Hold }[] = [];
const MOST_WAITING = 1_000;

const isScope = (name: string) => typeof scope[name] === "function" && (globalThis as object) instanceof (scope[name] as Function & (new () => object));

/** Is this a service worker, which is stopped whenever it seems to be idle? */
export const inServiceWorker = isScope("ServiceWorkerGlobalScope");

if (isScope("SharedWorkerGlobalScope")) {
  scope.addEventListener("connect", ({ ports: [port] }) => port !== undefined && accept(port));
} else if (inServiceWorker) {
  scope.addEventListener("message", (event) => {
    const { source, origin, data } = event;
    if (source === null || origin !== scope.location.origin) return;
    hear(data, { post: (message) => source.postMessage(message), stays: false }, (until) => hold(event, until));
  });
} else if (isScope("DedicatedWorkerGlobalScope")) {
  accept(scope);
}

/** Hears messages for this name from now on, and those that wait for it. Returns a function that ends it. */
export function hearWith(name: string, hearer: Hear): () => void {
  hearers.set(name, hearer);
  for (const { message, caller, hold } of waiting.splice(0)) hear(message, caller, hold);
  return () => {
    if (hearers.get(name) === hearer) hearers.delete(name);
  };
}

export const isServed = (name: string) => hearers.has(name);

/** Whoever has the other end of the port may call: all that serve, or this one of that name only. */
export function accept(port: Port, only?: { readonly name: string; readonly hearer: Hear }): void {
  const caller: Caller = { post: (message) => port.postMessage(message), stays: true };
  port.addEventListener("message", ({ data }) => hear(data, caller, () => {}, only));
  port.start?.();
}

/** Tells all clients of a service worker, whether it has met them in this life or not. */
export async function tellClients(message: Tell & Envelope): Promise<void> {
  if (!inServiceWorker) return;
  for (const client of await scope.clients.matchAll({ includeUncontrolled: true, type: "all" })) client.postMessage(message);
}

function hold(event: Incoming, until: Promise<unknown>): void {
  try {
    event.waitUntil?.(until);
  } catch {
    // The event is over: its message had to wait until somebody served.
  }
}

function hear(data: unknown, caller: Caller, hold: Hold, only?: { readonly name: string; readonly hearer: Hear }): void {
  if (!isEnvelope(data) || (only !== undefined && only.name !== data.name)) return;
  if (data["refresh-coordinator"] !== PROTOCOL) {
    // Before anything else: of a message of another version, no more is known than this.
    caller.post(envelop(data.name, { type: "version", to: data.from }));
    return;
  }
  const message = data as Ask & Envelope;
  const hearer = only?.hearer ?? hearers.get(message.name);
  if (hearer === undefined) {
    waiting.push({ message, caller, hold });
    if (waiting.length > MOST_WAITING) waiting.shift();
    return;
  }
  const until = hearer(message, caller);
  if (until !== undefined) hold(until);
}
