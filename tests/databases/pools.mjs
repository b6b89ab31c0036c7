// Postgres, as an app reaches it: a pool for statements, and a connection that listens.

import pg from "pg";
import { sqlStore, sqlTable } from "refresh-coordinator/stores/sql";

/** A store with connections of its own, as another process has. The table must be there. */
export function connectPostgres(connectionString, options) {
  // Whoever waits for a connection for too long leaves the queue: else, after an outage, the database works for those who have
  // given up long ago, and everybody else is late for that reason.
  const pool = new pg.Pool({ connectionString, max: 8, connectionTimeoutMillis: 3_000, statement_timeout: 4_000 });
  // A pool says so when a connection that rests is cut off.
  pool.on("error", () => {});
  const query = (statement, values) => pool.query(statement, values);
  return { pool, store: sqlStore({ query, listen: listener(connectionString), ...options }), close: () => pool.end() };
}

/** One that ends with the test. */
export function postgresStore(t, { url }, options) {
  const connected = connectPostgres(url, options);
  t.after(connected.close);
  return connected;
}

/** The function `listen` as the documentation has it. */
export function listener(connectionString) {
  return async (channel, heard, lost) => {
    const client = new pg.Client({ connectionString, keepAlive: true });
    client.on("notification", ({ payload }) => heard(payload)).on("error", () => {}).on("end", lost);
    await client.connect();
    await client.query(`LISTEN ${channel}`);
    client.unref();
    return () => client.end();
  };
}

export async function makeTable({ url }, options) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sqlTable(options));
  await client.end();
}
