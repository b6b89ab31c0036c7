/** The entry `refresh-coordinator/opentelemetry`: metrics of every coordinator of the process, through `@opentelemetry/api`. */

export { RefreshCoordinatorInstrumentation } from "./opentelemetry/instrumentation.js";
export type { InstrumentationConfig } from "./opentelemetry/instrumentation.js";
