/** The instruments, and what each message adds to which: a table, so that every attribute is seen to come from a closed set. */

import type { Attributes, Counter, Meter } from "@opentelemetry/api";

import type { DiagnosticsMessages } from "../types.js";

/** Seconds, as the semantic conventions recommend them for the requests of HTTP clients. The default ones are for milliseconds. */
const BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** What is done with each message. Never the session's key: there are as many as there are users. */
export type Recorders = { readonly [Name in keyof DiagnosticsMessages]?: (message: DiagnosticsMessages[Name]) => void };

/** Makes the instruments. */
export function recorders(meter: Meter): Recorders {
  const counter = (name: string, unit: string, description: string): Counter =>
    meter.createCounter(`refresh_coordinator.${name}`, { unit: `{${unit}}`, description });
  const duration = meter.createHistogram("refresh_coordinator.presentation.duration", {
    unit: "s",
    description: "How long requests with a refresh token took, until their reply was read and judged",
    advice: { explicitBucketBoundaries: BOUNDARIES },
  });
  const presentations = counter("presentations", "presentation", "Requests with a refresh token");
  const refusals = counter("refusals", "refusal", "Presentations that brought no tokens, by verdict");
  const joins = counter("joins", "join", "Calls that joined a refresh that was under way, and saved a request");
  const adoptions = counter("adoptions", "adoption", "Token sets taken over from another process or coordinator, which saved a request");
  const waits = counter("waits", "wait", "Refreshes that waited for another process or coordinator");
  const takeOvers = counter("take_overs", "take_over", "Refreshes whose owner was gone, and that another one did");
  const storeFailures = counter("store_failures", "failure", "Calls into the store that failed, by operation; commit: new tokens were given up");
  const revoked = counter("revoked_sessions", "session", "Sessions that the server has ended, by reason");
  const revocationFailures = counter("revocation_failures", "failure", "Tokens that could not be revoked, and stay queued");
  const degradations = counter("degradations", "degradation", "What the host, the store or an option does worse than it should");
  return {
    "refresh-coordinator:presented": ({ verdict, duration: ms }) => {
      presentations.add(1);
      if (verdict !== "granted") refusals.add(1, of("verdict", verdict));
      duration.record(ms / 1000, of("verdict", verdict));
    },
    "refresh-coordinator:joined": () => joins.add(1),
    "refresh-coordinator:adopted": () => adoptions.add(1),
    "refresh-coordinator:waiting": () => waits.add(1),
    "refresh-coordinator:taken-over": () => takeOvers.add(1),
    "refresh-coordinator:store-failed": ({ operation }) => storeFailures.add(1, of("operation", operation)),
    "refresh-coordinator:revoked": ({ reason }) => revoked.add(1, of("reason", reason)),
    "refresh-coordinator:revocation-failed": () => revocationFailures.add(1),
    "refresh-coordinator:degraded": ({ what }) => degradations.add(1, of("what", what)),
  };
}

function of(name: string, value: string | undefined): Attributes {
  return value === undefined ? {} : { [`refresh_coordinator.${name}`]: value };
}
