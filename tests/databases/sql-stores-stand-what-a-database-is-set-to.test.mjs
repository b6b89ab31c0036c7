// What a database's administrator, its load and the calendar do to a store in a table: stricter isolation, long names, deadlocks, many
// rows, and the night in which an hour comes twice.

import assert from "node:assert/strict";
import test from "node:test";

import { createPool } from "mysql2/promise";
import { StoreError } from "refresh-coordinator";
import { sqlStore, sqlTable } from "refresh-coordinator/stores/sql";
import { storeContract } from "refresh-coordinator/testing";

import { startMariaDb } from "./mariadb-server.mjs";
import { makeTable, postgresStore } from "./pools.mjs";
import { startPostgres } from "./postgres-server.mjs";
import { openSqlite } from "./sqlite.mjs";

const LIVE = 60_000;

test("Postgres", async (t) => {
  const server = await startPostgres(t);
  await makeTable(server);

  for (const level of ["repeatable read", "serializable"]) {
    await t.test(`the contract, where transactions are ${level} unless they say otherwise`, async (t) => {
      const url = `${server.url}?options=${encodeURIComponent(`-c default_transaction_isolation=${level.replace(" ", "\\ ")}`)}`;
      const [one, other] = [postgresStore(t, { url }), postgresStore(t, { url })];
      const { rows } = await one.pool.query("SHOW transaction_isolation");
      assert.equal(rows[0].transaction_isolation, level);
      let opened = 0;
      for (const { title, run } of storeContract(() => [one, other][(opened += 1) % 2].store)) await t.test(title, run);
    });
  }

  await t.test("names may be as long as Postgres takes them, also together", async (t) => {
    const [schema, table] = ["s".repeat(63), `T${"t".repeat(62)}`];
    const named = { table: `${schema}.${table}` };
    const { pool } = postgresStore(t, server);
    await pool.query(`CREATE SCHEMA ${schema}`);
    await pool.query(sqlTable(named));
    const { rows } = await pool.query("SELECT count(*) FROM pg_indexes WHERE schemaname = $1", [schema]);
    assert.equal(Number(rows[0].count), 2);
    const [watching, writer] = [0, 1].map(() => postgresStore(t, server, named).store);
    let hear;
    const next = () => new Promise((resolve) => (hear = resolve));
    const begun = next();
    t.after(watching.watch("k", () => hear()));
    await begun;
    const heard = next();
    assert.equal(typeof (await writer.write("k", "v", { ifVersion: null })), "string");
    await heard;
  });

  await t.test("what has expired is found by its index, not by reading all rows", async (t) => {
    const { pool } = postgresStore(t, server);
    await pool.query("INSERT INTO refresh_coordinator SELECT 'row ' || n, 'v', 'v', 9e12 FROM generate_series(1, 20000) AS n");
    await pool.query("ANALYZE refresh_coordinator");
    const sweep = await sweepOf((statement, values) => pool.query(statement, values));
    const { rows } = await pool.query(`EXPLAIN ${sweep}`);
    const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
    assert.match(plan, /Index .*refresh_coordinator_ends_at/);
    assert.doesNotMatch(plan, /Seq Scan/);
  });
});

test("MariaDB", async (t) => {
  const server = await startMariaDb(t);
  const pool = createPool({ uri: server.url, connectionLimit: 6 });
  t.after(() => pool.end());
  await pool.query(sqlTable({ dialect: "mysql" }));
  const query = (statement, values) => pool.execute(statement, values);

  await t.test("a write that the database undoes because of a deadlock is tried again", async (t) => {
    const store = sqlStore({ query, dialect: "mysql" });
    const ifVersion = await store.write("k", "v", { ifVersion: null, ttl: LIVE });
    const other = await pool.getConnection();
    t.after(() => other.destroy());
    await other.query("CREATE TABLE others (n int)");
    await other.beginTransaction();
    // Of two that wait for each other the one who has written less has to go.
    await other.query("INSERT INTO others SELECT seq FROM seq_1_to_500");
    await other.query("SELECT ends_at FROM refresh_coordinator FORCE INDEX (refresh_coordinator_ends_at) WHERE ends_at > 0 LOCK IN SHARE MODE");
    const writing = store.write("k", "w", { ifVersion, ttl: 2 * LIVE });
    // Not a table of the information schema: who asks it again and again is told what was true the first time.
    const counted = async (name) => Number((await pool.query(`SHOW GLOBAL STATUS LIKE '${name}'`))[0][0].Value);
    while ((await counted("Innodb_row_lock_current_waits")) === 0);
    const undone = () => counted("Innodb_deadlocks");
    const before = await undone();
    await other.query("SELECT * FROM refresh_coordinator WHERE id = 'k' FOR UPDATE");
    assert.equal((await undone()) - before, 1);
    await other.commit();
    const version = await writing;
    assert.equal(typeof version, "string");
    assert.deepEqual({ ...(await store.read("k")) }, { value: "w", version });
  });

  await t.test("what has expired is found by its index, not by reading and locking all rows", async () => {
    await pool.query("INSERT INTO refresh_coordinator SELECT concat('row ', seq), 'v', 'v', 9e12 FROM seq_1_to_5000");
    await pool.query("ANALYZE TABLE refresh_coordinator");
    const [[plan]] = await pool.query(`EXPLAIN ${await sweepOf(query, "mysql")}`);
    assert.deepEqual([plan.type, plan.key], ["range", "refresh_coordinator_ends_at"]);
  });

  await t.test("a client that does not say how many rows were written is not believed to have written none", async () => {
    const silent = sqlStore({ dialect: "mysql", query: async (statement, values) => ((await query(statement, values)), []) });
    await assert.rejects(() => silent.write("silent", "1234567890", { ifVersion: null }), (error) => {
      assert.ok(error instanceof StoreError);
      assert.match(error.message, /`affectedRows`/);
      return true;
    });
    const counting = sqlStore({ dialect: "mysql", query: async (statement, values) => (await query(statement, values))[0].affectedRows ?? 0 });
    assert.equal(typeof (await counting.write("counting", "v", { ifVersion: null })), "string");
    assert.equal(await counting.write("counting", "v", { ifVersion: null }), undefined);
    await assert.rejects(() => counting.read("counting"), /`query` must resolve with an array of rows/);
  });
});

test("MariaDB, in the night in which an hour comes twice", async (t) => {
  const [zone, own] = ["CET-1CEST,M3.5.0,M10.5.0/3", process.env.TZ];
  process.env.TZ = zone;
  // Then it tells the time that it is told.
  const server = await startMariaDb(t, ["--sysdate-is-now"]).finally(() => (own === undefined ? delete process.env.TZ : (process.env.TZ = own)));
  const pool = createPool({ uri: server.url, connectionLimit: 1 });
  t.after(() => pool.end());
  await pool.query(sqlTable({ dialect: "mysql" }));
  const store = sqlStore({ query: (statement, values) => pool.execute(statement, values), dialect: "mysql" });
  /** Minutes after two o'clock, summer time. */
  const itIs = (minutes) => pool.query("SET timestamp = ?", [Date.UTC(2026, 9, 25, 0, minutes) / 1_000]);
  const local = async () => (await pool.query("SELECT date_format(now(), '%H:%i') AS now"))[0][0].now;

  for (const begin of [30, 70]) {
    await itIs(begin);
    assert.equal(await local(), begin === 30 ? "02:30" : "02:10");
    await store.write(`at ${begin}`, "v", { ifVersion: null, ttl: 50 * 60_000 });
    await itIs(begin + 49);
    assert.equal((await store.read(`at ${begin}`))?.value, "v");
    await itIs(begin + 51);
    assert.equal(await store.read(`at ${begin}`), undefined);
  }
});

test("SQLite: what has expired is found by its index, not by reading all rows", async (t) => {
  const all = await openSqlite(t);
  const plan = all(`EXPLAIN QUERY PLAN ${await sweepOf(all, "sqlite")}`).map(({ detail }) => detail).join("\n");
  assert.match(plan, /USING (COVERING )?INDEX refresh_coordinator_ends_at \(ends_at<\?\)/);
});

/** The statement that clears away what has expired: the one of eight writes that names no key. */
async function sweepOf(query, dialect) {
  const said = [];
  const store = sqlStore({ dialect, query: (statement, values) => (values.length === 0 && said.push(statement), query(statement, values)) });
  for (let key = 0; key < 8; key += 1) await store.write(`swept ${key}`, "v", { ifVersion: null, ttl: LIVE });
  assert.equal(said.length, 1);
  return said[0];
}
