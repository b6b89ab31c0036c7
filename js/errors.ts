/**
 * The error classes, and the one factory the core makes them with.
 *
 * `instanceof` goes by brand: two copies of this package, or two versions, recognise each other's errors.
 */

import type { ErrorFields, ErrorKind } from "./core.js";
import type { Fault, RevokedReason, Spent } from "./types.js";

const BRAND = Symbol.for("refresh-coordinator.error");

/** What each class is like; the order of API and documentation. */
const TRAITS = {
  revoked: { code: "revoked", retryable: false, signInRequired: true, fault: "server" },
  interaction: { code: "interaction-required", retryable: false, signInRequired: true, fault: "server" },
  transient: { code: "transient", retryable: true, signInRequired: false, fault: "network" },
  configuration: { code: "configuration", retryable: false, signInRequired: false, fault: "caller" },
  "no-session": { code: "no-session", retryable: false, signInRequired: true, fault: "caller" },
  store: { code: "store", retryable: true, signInRequired: false, fault: "store" },
  internal: { code: "internal", retryable: false, signInRequired: false, fault: "host" },
} as const satisfies Record<ErrorKind, { code: string; retryable: boolean; signInRequired: boolean; fault: Fault }>;

/** What an error tells besides its message. The class has defaults. */
export interface ErrorDetails {
  /** Stable, kebab-case. */
  code?: string;
  fault?: Fault;
  spent?: Spent;
  /** HTTP status of the reply. */
  status?: number;
  /** `error` of the reply (RFC 6749 section 5.2). */
  oauthError?: string;
  /** Wall clock, milliseconds since the epoch. */
  retryAt?: number;
  /** Of a `RevokedError`. */
  reason?: RevokedReason;
  cause?: unknown;
}

/**
 * The base of all errors of this package.
 *
 * @example
 * try { await auth.getAccessToken(); }
 * catch (error) { if (error instanceof RefreshError && error.signInRequired) location.assign("/login"); }
 */
export abstract class RefreshError extends Error {
  /** Stable, kebab-case. More specific than the class where it can be. */
  readonly code: string;
  /** Is it worth trying again later? */
  readonly retryable: boolean;
  /** Must the user sign in? */
  readonly signInRequired: boolean;
  /** Who is to blame. */
  readonly fault: Fault;
  /** Has the server consumed the refresh token? */
  readonly spent: Spent;
  /** HTTP status of the reply, if there was one. */
  readonly status?: number;
  /** `error` of the reply (RFC 6749 section 5.2), if there was one. */
  readonly oauthError?: string;
  /** Not before this moment: wall clock, milliseconds since the epoch. */
  readonly retryAt?: number;

  /** @internal */
  protected constructor(kind: ErrorKind, message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    const traits = TRAITS[kind];
    this.code = details.code ?? traits.code;
    this.retryable = traits.retryable;
    this.signInRequired = traits.signInRequired;
    this.fault = details.fault ?? traits.fault;
    this.spent = details.spent ?? (kind === "revoked" ? "yes" : "no");
    if (details.status !== undefined) this.status = details.status;
    if (details.oauthError !== undefined) this.oauthError = details.oauthError;
    if (details.retryAt !== undefined) this.retryAt = details.retryAt;
    Object.defineProperty(this, BRAND, { value: kind });
  }

  /** What may be logged or sent elsewhere: everything but cause and stack. */
  toJSON(): Record<string, unknown> {
    const { name, message } = this;
    return { ...(this as object), name, message };
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return recognises(this, value, undefined);
  }
}

/** The session is over: the user must sign in. */
export class RevokedError extends RefreshError {
  static readonly code = TRAITS.revoked.code;
  /** Why. `response-lost`: a reply was lost after the server may have rotated; nobody did anything wrong. */
  readonly reason: RevokedReason;

  /** A custom `refresh` may throw one, with its reason: the session is over. */
  constructor(message: string, details: ErrorDetails = {}) {
    super("revoked", message, details);
    this.reason = details.reason ?? "unknown";
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return recognises(this, value, "revoked");
  }
}

/** The user must act (MFA, consent, conditional access); the refresh token itself may be good afterwards. */
export class InteractionRequiredError extends RefreshError {
  static readonly code = TRAITS.interaction.code;

  /** A custom `refresh` may throw one: its code, fault and `spent` stand. */
  constructor(message: string, details: ErrorDetails = {}) {
    super("interaction", message, details);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return recognises(this, value, "interaction");
  }
}

/** Not now: network, timeout, 5xx, 429, busy, and everything unknown. Keep the user, and try again at `retryAt`. */
export class TransientError extends RefreshError {
  static readonly code = TRAITS.transient.code;

  /** A custom `refresh` may throw one: its code, fault and `spent` stand. */
  constructor(message: string, details: ErrorDetails = {}) {
    super("transient", message, details);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return recognises(this, value, "transient");
  }
}

/** The client, its secret, the scope, the endpoint, an option or an argument is wrong. The session is kept. */
export class ConfigurationError extends RefreshError {
  static readonly code = TRAITS.configuration.code;

  /** A custom `refresh` may throw one: its code, fault and `spent` stand. */
  constructor(message: string, details: ErrorDetails = {}) {
    super("configuration", message, details);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return recognises(this, value, "configuration");
  }
}

/** There is nothing to refresh, or the user signed out. */
export class NoSessionError extends RefreshError {
  static readonly code = TRAITS["no-session"].code;

  /** Thrown by a custom `refresh` it ends the session, with a {@link RevokedError}. */
  constructor(message: string, details: ErrorDetails = {}) {
    super("no-session", message, details);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return recognises(this, value, "no-session");
  }
}

/** The store failed. Never takes the place of tokens that were obtained. */
export class StoreError extends RefreshError {
  static readonly code = TRAITS.store.code;

  /** Thrown by a custom `refresh` it says nothing of the session: a {@link TransientError}. */
  constructor(message: string, details: ErrorDetails = {}) {
    super("store", message, details);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return recognises(this, value, "store");
  }
}

/** The core trapped. Every open promise rejects with this, and the next `new` gets a fresh instance. */
export class InternalError extends RefreshError {
  static readonly code = TRAITS.internal.code;

  /** Thrown by a custom `refresh` it says nothing of the session: a {@link TransientError}. */
  constructor(message: string, details: ErrorDetails = {}) {
    super("internal", message, details);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return recognises(this, value, "internal");
  }
}

const CLASSES = {
  revoked: RevokedError,
  interaction: InteractionRequiredError,
  transient: TransientError,
  configuration: ConfigurationError,
  "no-session": NoSessionError,
  store: StoreError,
  internal: InternalError,
} as const satisfies Record<ErrorKind, new (message: string, details?: ErrorDetails) => RefreshError>;

// A string, since bundlers shorten the names of classes.
const NAMES: Record<ErrorKind, string> = {
  revoked: "RevokedError",
  interaction: "InteractionRequiredError",
  transient: "TransientError",
  configuration: "ConfigurationError",
  "no-session": "NoSessionError",
  store: "StoreError",
  internal: "InternalError",
};
for (const kind of Object.keys(CLASSES) as ErrorKind[]) {
  Object.defineProperty(CLASSES[kind].prototype, "name", { value: NAMES[kind], configurable: true, writable: true });
  // What a console prints.
  Object.defineProperty(CLASSES[kind], "name", { value: NAMES[kind], configurable: true });
}

/** Makes an error of the class that belongs to the kind. */
export function makeError(kind: ErrorKind, fields: ErrorFields): RefreshError {
  return new CLASSES[kind](fields.message, fields as ErrorDetails);
}

/** A `ConfigurationError` about an argument. */
export function wrongArgument(code: string, message: string): RefreshError {
  return makeError("configuration", { message, code, fault: "caller", spent: "no" });
}

/** Kind and fields of an error of this package, from any copy of it. */
export function readError(value: unknown): (ErrorFields & { kind: ErrorKind }) | undefined {
  const kind = kindOf(value);
  if (kind === undefined || !(kind in TRAITS)) return undefined;
  const { message, code, fault, spent, status, oauthError, retryAt, reason, cause } = value as RevokedError;
  return {
    kind: kind as ErrorKind,
    message,
    code,
    fault,
    spent,
    ...(status === undefined ? {} : { status }),
    ...(oauthError === undefined ? {} : { oauthError }),
    ...(retryAt === undefined ? {} : { retryAt }),
    ...(reason === undefined ? {} : { reason }),
    ...(cause === undefined ? {} : { cause }),
  };
}

function kindOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  try {
    const kind: unknown = (value as Record<symbol, unknown>)[BRAND];
    return typeof kind === "string" ? kind : undefined;
  } catch {
    // A proxy or a getter that throws is none of ours.
    return undefined;
  }
}

/** `instanceof` by brand for our own classes; a class derived by a user keeps the ordinary meaning. */
function recognises(constructor: Function, value: unknown, kind: ErrorKind | undefined): boolean {
  const ours = kind === undefined ? RefreshError : CLASSES[kind];
  if (constructor !== ours) return Function.prototype[Symbol.hasInstance].call(constructor, value);
  const brand = kindOf(value);
  return kind === undefined ? brand !== undefined : brand === kind;
}
