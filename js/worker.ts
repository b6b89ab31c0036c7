/** The entry `refresh-coordinator/worker`: a coordinator in a worker, used from the pages of its origin as if it were theirs. */

export {
  ConfigurationError,
  InteractionRequiredError,
  InternalError,
  NoSessionError,
  RefreshError,
  RevokedError,
  StoreError,
  TransientError,
} from "./errors.js";
export { connect } from "./worker/connect.js";
export type { ConnectOptions } from "./worker/connect.js";
export type { Coordinator } from "./worker/coordinator.js";
export type { Connectable } from "./worker/opening.js";
export { serve, waitUntil } from "./worker/serve.js";
export type { ServeOptions, Serving } from "./worker/serve.js";
