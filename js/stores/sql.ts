/** The entry `refresh-coordinator/stores/sql`: a store in a table, for several servers. */

export { sqlStore, sqlTable } from "./sql-store.js";
export type { SqlListen, SqlQuery, SqlStore, SqlStoreOptions } from "./sql-store.js";
export type { SqlDialectName } from "./sql-dialects.js";
