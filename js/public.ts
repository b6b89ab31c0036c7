/** What every entry of the package exports. */

export { RefreshCoordinator } from "./coordinator.js";
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
export type { ErrorDetails } from "./errors.js";
export { memoryStore } from "./stores/memory.js";
export type * from "./types.js";
