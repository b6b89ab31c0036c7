/** The entry `refresh-coordinator/stores/web`: the store of pages and workers. */

export { indexedDbStore } from "./indexed-db.js";
export type { IndexedDbOptions, IndexedDbStore } from "./indexed-db.js";
