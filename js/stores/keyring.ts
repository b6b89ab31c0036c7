/** The entry `refresh-coordinator/stores/keyring`: a credential file whose tokens only the system's keyring can open. */

export { keyringStore } from "./keyring-store.js";
export type { KeyringStore, KeyringStoreOptions } from "./keyring-store.js";
export type { KeyringEntry } from "./keyring-entries.js";
