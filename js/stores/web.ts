/** The entry `refresh-coordinator/stores/web`: the stores of pages and workers. */

export { indexedDbStore } from "./indexed-db.js";
export type { IndexedDbOptions, IndexedDbStore } from "./indexed-db.js";
export { webStorageStore } from "./web-storage.js";
export type { WebStorageOptions, WebStorageStore } from "./web-storage.js";
