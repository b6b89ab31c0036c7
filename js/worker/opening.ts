/** How a page comes by a connection to its worker, and how it hears that one is gone. One shape for all kinds of workers. */

import { makeError, type RefreshError, wrongArgument } from "../errors.js";
import { unheld } from "../unheld.js";
import { isEnvelope } from "./protocol.js";

/**
 * What is used of a `Worker`, or of one end of a `MessageChannel`. By their shapes, so that types compile where there are no types of
 * the DOM.
 */
export interface MessagePlace {
  postMessage(message: unknown): void;
  addEventListener(type: string, listener: (event: any) => void): void;
}

/** A `Worker`, a `MessagePort`, or a `SharedWorker`. */
export type WorkerLike = MessagePlace | { readonly port: MessagePlace };

/** What is used of `navigator.serviceWorker`. */
export interface ServiceWorkers {
  readonly controller: unknown;
  readonly ready: Promise<unknown>;
  startMessages(): void;
}

/** What {@link connect} takes: a worker, one end of a channel, or a function that makes one whenever one is needed. */
export type Connectable = WorkerLike | ServiceWorkers | (() => WorkerLike);

type AnyWorker = SharedWorker | Worker | MessagePort;

/** A connection that is there. */
export interface Connection {
  /** Throws if the message cannot be cloned. */
  post(message: object): void;
  /** Nothing is heard any more. */
  close(): void;
  /** Is it given up while the page rests in the back/forward cache? */
  readonly restless: boolean;
  /** Does the worker end with it? Its silence may be mere work then, and to end it would end a refresh that is at the server. */
  readonly owned: boolean;
}

/** Longer than a refresh takes, in milliseconds. */
export const LONGER_THAN_A_REFRESH = 60_000;

/** What becomes of an attempt. */
export interface Attempt {
  opened(connection: Connection): void;
  heard(data: unknown): void;
  lost(error: RefreshError): void;
  /** Another worker has taken the place of this one. */
  moved(): void;
}

export interface Opening {
  /** Can there be another connection after this one? */
  readonly again: boolean;
  open(attempt: Attempt): void;
}

/** @throws ConfigurationError if it is nothing that one can connect to */
export function openingOf(to: Connectable | undefined): Opening {
  // What `navigator.serviceWorker` is where there are none. An app is built and rendered there too.
  if (to === undefined) return { again: true, open: ({ lost }) => lost(noWorker("there are no service workers here: this is no browser, or a page that came over http")) };
  if (typeof to === "function") return { again: true, open: (attempt) => openMade(to, attempt) };
  if (typeof to === "object" && to !== null) {
    if ("controller" in to && "ready" in to) return { again: true, open: (attempt) => void openServiceWorker(to as ServiceWorkerContainer, attempt) };
    if (isWorker(to)) return { again: false, open: (attempt) => attempt.opened(openWorker(to, attempt, false)) };
  }
  throw wrongArgument("wrong-argument", `\`connect\` needs a worker, a port, navigator.serviceWorker, or a function that makes one, not ${String(to)}`);
}

const isWorker = (value: object): value is AnyWorker => "port" in value || "postMessage" in value;

function openMade(make: () => WorkerLike, attempt: Attempt): void {
  let made: AnyWorker;
  try {
    const what = make();
    if (!isWorker(what)) throw new TypeError("it made no worker");
    made = what;
  } catch (cause) {
    // Most of all where there are no shared workers.
    return attempt.lost(noWorker("the function given to `connect` made no worker", cause));
  }
  attempt.opened(openWorker(made, attempt, true));
}

/** `own`: it was made for this connection, and is let go with it. */
function openWorker(worker: AnyWorker, { heard, lost }: Attempt, own: boolean): Connection {
  const shared = "port" in worker;
  const port = shared ? worker.port : worker;
  const ended = new AbortController();
  let spoke = false;
  const listen = (target: EventTarget, type: string, listener: (event: Event) => void) => target.addEventListener(type, listener, { signal: ended.signal });
  listen(port, "message", (event) => {
    spoke = true;
    heard((event as MessageEvent).data);
  });
  // Where the browser tells.
  listen(port, "close", () => lost(gone("worker-lost", "the worker is gone")));
  listen(worker, "error", (event) => {
    // An exception in a worker that runs is its own affair, and reported as ever.
    if (spoke) return;
    // The calls say it.
    event.preventDefault();
    lost(gone("worker-failed", "the worker could not be started: is its address right, and does it run without an error?"));
  });
  if ("start" in port) port.start();
  return {
    post: (message) => port.postMessage(message),
    close() {
      ended.abort();
      if (own) "close" in port ? port.close() : endLater(port);
    },
    restless: own && "close" in port,
    owned: own && !("close" in port),
  };
}

/** Ends a worker that was told so, when it says that nothing is under way. */
function endLater(worker: Worker): void {
  const answered = ({ data }: MessageEvent) => isEnvelope(data) && data.type === "idle" && end();
  const timer = unheld(setTimeout(() => end(), LONGER_THAN_A_REFRESH));
  worker.addEventListener("message", answered);
  const end = () => {
    clearTimeout(timer);
    worker.removeEventListener("message", answered);
    worker.terminate();
  };
}

async function openServiceWorker(container: ServiceWorkerContainer, { opened, heard, moved, lost }: Attempt): Promise<void> {
  const ended = new AbortController();
  const { signal } = ended;
  let worker: ServiceWorker | undefined;
  container.addEventListener("controllerchange", () => worker !== undefined && moved(), { signal });
  // Several workers may speak to a page, one for each scope.
  container.addEventListener("message", ({ source, data }) => source === worker && heard(data), { signal });
  container.startMessages();
  try {
    // No controller: its first visit, or reloaded past it. What is installed will do.
    worker = inCharge(container.controller) ?? inCharge((await container.ready).active);
  } catch (cause) {
    ended.abort();
    return lost(noWorker("this page cannot have a service worker", cause));
  }
  if (worker === undefined) {
    ended.abort();
    return lost(gone("worker-lost", "the service worker is gone"));
  }
  const chosen = worker;
  opened({ post: (message) => chosen.postMessage(message), close: () => ended.abort(), restless: false, owned: false });
}

const inCharge = (worker: ServiceWorker | null) => (worker === null || worker.state === "redundant" ? undefined : worker);

function noWorker(message: string, cause?: unknown): RefreshError {
  return makeError("configuration", { message, code: "no-worker", fault: "host", spent: "no", ...(cause !== undefined && { cause }) });
}

/** The session is where the worker keeps it, and nobody need sign in for this. */
export function gone(code: string, message: string): RefreshError {
  return makeError("transient", { message, code, fault: "host", spent: "maybe" });
}
