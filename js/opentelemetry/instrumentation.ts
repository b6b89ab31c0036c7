/** Metrics of every coordinator of the process, in the shape of OpenTelemetry's other instrumentations. */

import { type MeterProvider, metrics } from "@opentelemetry/api";

import { listen } from "../diagnostics.js";
import { type Recorders, recorders } from "./instruments.js";

/** The version of this package; the build puts it here. */
declare const VERSION: string;

/** The settings that instrumentations have in common. */
export interface InstrumentationConfig {
  /** Default: true. */
  enabled?: boolean;
}

/**
 * Counts what all coordinators of this process do, also those that other copies of the package make, from its construction on. Make one
 * in each process, by itself or in the list of a `NodeSDK` or of `registerInstrumentations`.
 *
 * It hears the channels of `node:diagnostics_channel`, and counts nothing on hosts without that module. `@opentelemetry/api` is an optional peer
 * dependency, which only this entry loads.
 *
 * | metric (`refresh_coordinator.…`) | kind, unit | attribute (`refresh_coordinator.…`) |
 * | --- | --- | --- |
 * | `presentations` | counter | |
 * | `presentation.duration` | histogram, s | `verdict`: granted, revoked, interaction, transient, configuration |
 * | `refusals` | counter | `verdict`: the same without granted |
 * | `joins`, `adoptions`, `waits`, `take_overs` | counters | |
 * | `store_failures` | counter | `operation`: read, write, commit |
 * | `revoked_sessions` | counter | `reason`: {@link RevokedReason} |
 * | `revocation_failures` | counter | |
 * | `degradations` | counter | `what`: see {@link CoordinatorEvent} |
 *
 * No attribute is a token, a session's name, or the key of one.
 *
 * @example
 * new NodeSDK({ metricReaders: [reader], instrumentations: [new RefreshCoordinatorInstrumentation()] }).start();
 */
export class RefreshCoordinatorInstrumentation {
  readonly instrumentationName: string = "refresh-coordinator";
  readonly instrumentationVersion: string = VERSION;
  #config: InstrumentationConfig;
  /** The provider that was set; otherwise the one that is registered when there is something to count. */
  #provider: MeterProvider | undefined;
  #made: { readonly provider: MeterProvider; readonly recorders: Recorders } | undefined;
  #stops: readonly (() => void)[] = [];

  constructor(config: InstrumentationConfig = {}) {
    this.#config = { enabled: true, ...config };
    if (this.#config.enabled === true) this.enable();
  }

  /** Begins to count. */
  enable(): void {
    this.disable();
    this.#config = { ...this.#config, enabled: true };
    const names = Object.keys(this.#recorders()) as (keyof Recorders)[];
    this.#stops = names.map((name) => this.#follow(name));
  }

  /** Ends it. */
  disable(): void {
    this.#config = { ...this.#config, enabled: false };
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  /** Default: the provider that is registered globally, now or later. */
  setMeterProvider(provider: MeterProvider): void {
    // Whoever registers instrumentations sets the global one, and that may come to be another one afterwards.
    this.#provider = provider === metrics.getMeterProvider() ? undefined : provider;
  }

  /** There are no traces. */
  setTracerProvider(_provider: unknown): void {}

  setConfig(config: InstrumentationConfig): void {
    this.#config = { enabled: true, ...config };
  }

  getConfig(): InstrumentationConfig {
    return this.#config;
  }

  #follow<Name extends keyof Recorders>(name: Name): () => void {
    return listen(name, (message) => this.#recorders()[name]?.(message));
  }

  /** Made when they are needed: the API hands out instruments that count nothing as long as no provider is registered. */
  #recorders(): Recorders {
    const provider = this.#provider ?? metrics.getMeterProvider();
    if (this.#made?.provider !== provider) {
      const meter = provider.getMeter(this.instrumentationName, this.instrumentationVersion);
      this.#made = { provider, recorders: recorders(meter) };
    }
    return this.#made.recorders;
  }
}
