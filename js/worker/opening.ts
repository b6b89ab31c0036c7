/** How a page comes by a connection to its worker, and how it hears that one is gone. One shape for all kinds of workers. */

import { makeError, type RefreshError, wrongArgument } from "../errors.js";

/** What {@link connect} takes: a worker, one end of a channel, or a function that makes one whenever one is needed. */
export type Connectable = SharedWorker | Worker | MessagePort | ServiceWorkerContainer | (() => SharedWorker | Worker | MessagePort);

/** A connection that is there. */
export interface Connection {
  /** Throws if the message cannot be cloned. */
  post(message: object): void;
  /** Nothing is heard any more. */
  close(): void;
  /** Is it given up while the page rests in the back/forward cache? */
  readonly restless: boolean;
}

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
export function openingOf(to: Connectable): Opening {
  if (typeof to === "function") return { again: true, open: (attempt) => openMade(to, attempt) };
  if (typeof to === "object" && to !== null) {
    if ("controller" in to && "ready" in to) return { again: true, open: (attempt) => void openServiceWorker(to, attempt) };
    if (isWorker(to)) return { again: false, open: (attempt) => attempt.opened(openWorker(to, attempt, false)) };
  }
  throw wrongArgument("wrong-argument", `\`connect\` needs a worker, a port, navigator.serviceWorker, or a function that makes one, not ${String(to)}`);
}

const isWorker = (value: object): value is SharedWorker | Worker | MessagePort => "port" in value || "postMessage" in value;

function openMade(make: () => SharedWorker | Worker | MessagePort, attempt: Attempt): void {
  let made: SharedWorker | Worker | MessagePort;
  try {
    made = make();
    if (!isWorker(made)) throw new TypeError("it made no worker");
  } catch (cause) {
    // Most of all where there are no shared workers.
    const message = "the function given to `connect` made no worker";
    return attempt.lost(makeError("configuration", { message, code: "no-worker", fault: "host", spent: "no", cause }));
  }
  attempt.opened(openWorker(made, attempt, true));
}

/** `own`: it was made for this connection, and is let go with it. */
function openWorker(worker: SharedWorker | Worker | MessagePort, { heard, lost }: Attempt, own: boolean): Connection {
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
  // An exception in a worker that runs is its own affair.
  listen(worker, "error", (event) => {
    // A page that has no other listener would report it as its own.
    event.preventDefault();
    if (!spoke) lost(gone("worker-failed", "the worker could not be started: is its address right, and does it run without an error?"));
  });
  if ("start" in port) port.start();
  return {
    post: (message) => port.postMessage(message),
    close() {
      ended.abort();
      if (own) "close" in port ? port.close() : port.terminate();
    },
    restless: own && "close" in port,
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
    const message = "this page cannot have a service worker";
    return lost(makeError("configuration", { message, code: "no-worker", fault: "host", spent: "no", cause }));
  }
  if (worker === undefined) {
    ended.abort();
    return lost(gone("worker-lost", "the service worker is gone"));
  }
  const chosen = worker;
  opened({ post: (message) => chosen.postMessage(message), close: () => ended.abort(), restless: false });
}

const inCharge = (worker: ServiceWorker | null) => (worker === null || worker.state === "redundant" ? undefined : worker);

/** The session is where the worker keeps it, and nobody need sign in for this. */
export function gone(code: string, message: string): RefreshError {
  return makeError("transient", { message, code, fault: "host", spent: "maybe" });
}
