/** The entry `refresh-coordinator/stores/file`: a store in a file, for several processes of a machine. Node, Bun and Deno. */

export { fileStore } from "./file-store.js";
export type { FileLocking, FileStore, FileStoreOptions } from "./file-store.js";
