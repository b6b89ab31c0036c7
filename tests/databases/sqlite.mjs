// SQLite in this process, with the table of a store in it.

import { sqlTable } from "refresh-coordinator/stores/sql";
import initialise from "sql.js";

/** The `query` of a store. The database ends with the test. */
export async function openSqlite(t) {
  const { Database } = await initialise();
  const database = new Database();
  t.after(() => database.close());
  database.exec(sqlTable({ dialect: "sqlite" }));
  return (text, values) => {
    const statement = database.prepare(text, values);
    const rows = [];
    while (statement.step()) rows.push(statement.getAsObject());
    statement.free();
    return rows;
  };
}
