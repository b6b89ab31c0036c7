// The entry `opentelemetry`, typed against OpenTelemetry's own packages. Compiled by `npm test`, never run.

import type { Instrumentation } from "@opentelemetry/instrumentation";
import type { MeterProvider } from "@opentelemetry/sdk-metrics";

import type { CoordinatorEvent, DiagnosticsMessages, JoinMessage, PresentationMessage } from "refresh-coordinator";
import { RefreshCoordinatorInstrumentation, type InstrumentationConfig } from "refresh-coordinator/opentelemetry";

export const instrumentations: Instrumentation<InstrumentationConfig>[] = [new RefreshCoordinatorInstrumentation({ enabled: false })];

export function ownProvider(provider: MeterProvider): void {
  new RefreshCoordinatorInstrumentation().setMeterProvider(provider);
}

// @ts-expect-error there is no such setting
new RefreshCoordinatorInstrumentation({ disabled: true });

/** Each message has the type that its channel says. */
export function messages(all: DiagnosticsMessages): [PresentationMessage, JoinMessage, CoordinatorEvent, "revoked"] {
  const { "refresh-coordinator:presented": presented, "refresh-coordinator:joined": joined, "refresh-coordinator:revoked": revoked } = all;
  // @ts-expect-error a presentation has no generation
  void presented.generation;
  return [presented, joined, revoked, revoked.type];
}

// @ts-expect-error there is no such channel
export type Unknown = DiagnosticsMessages["refresh-coordinator:adoption"];
