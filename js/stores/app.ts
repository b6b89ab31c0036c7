/** The entry `refresh-coordinator/stores/app`: a store made of an app's own storage. */

export { appStore } from "./app-store.js";
export type { AppStorage, AppStore } from "./app-store.js";
export type { StoredTokens } from "./app-tokens.js";
