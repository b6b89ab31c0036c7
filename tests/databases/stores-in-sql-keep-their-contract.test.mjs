// The contract of all stores on a real Postgres, a real MariaDB, and SQLite's own engine; and what only these do to their users.

import assert from "node:assert/strict";
import test from "node:test";

import { createPool } from "mysql2/promise";
import { StoreError } from "refresh-coordinator";
import { sqlStore, sqlTable } from "refresh-coordinator/stores/sql";
import { storeContract } from "refresh-coordinator/testing";

import { startMariaDb } from "./mariadb-server.mjs";
import { listener, makeTable, postgresStore } from "./pools.mjs";
import { startPostgres } from "./postgres-server.mjs";
import { openSqlite } from "./sqlite.mjs";

test("sqlStore on Postgres", async (t) => {
  const server = await startPostgres(t);

  await t.test("the contract, with LISTEN", async (t) => {
    await makeTable(server);
    const stores = [postgresStore(t, server), postgresStore(t, server)].map(({ store }) => store);
    await keepsItsContract(t, stores);
  });

  await t.test("the contract, without LISTEN, in a table of another name and schema", async (t) => {
    const table = { table: "public.Auth_Sessions" };
    await makeTable(server, table);
    const stores = [0, 1].map(() => postgresStore(t, server, { ...table, listen: undefined }).store);
    assert.equal(stores[0].watch, undefined);
    await keepsItsContract(t, stores);
  });

  await t.test("what has expired is cleared away by later writes, a few rows at a time", async (t) => {
    const { pool, store } = postgresStore(t, server);
    await pool.query("DELETE FROM refresh_coordinator");
    for (let key = 0; key < 7; key += 1) await store.write(`k${key}`, "v", { ifVersion: null, ttl: 1 });
    while ((await store.read("k6")) !== undefined);
    await store.write("kept", "v", { ifVersion: null });
    await store.write("new", "v", { ifVersion: null, ttl: 60_000 });
    const { rows } = await pool.query("SELECT id FROM refresh_coordinator ORDER BY id");
    assert.deepEqual(rows.map(({ id }) => id), ["kept", "new"]);
  });

  await t.test("what a client sends a second time is not taken for a conflict", async (t) => {
    const { pool } = postgresStore(t, server);
    const twice = sqlStore({
      async query(statement, values) {
        await pool.query(statement, values);
        return pool.query(statement, values);
      },
    });
    const version = await twice.write("twice", "a", { ifVersion: null });
    assert.equal((await twice.read("twice")).version, version);
    assert.equal(typeof (await twice.write("twice", "b", { ifVersion: version })), "string");
  });

  await t.test("who listens hears of keys that Postgres cannot keep as they are", async (t) => {
    const { store } = postgresStore(t, server);
    const odd = "odd \u0000 \\0 key";
    let hear;
    const next = () => new Promise((resolve) => (hear = resolve));
    const begun = next();
    t.after(store.watch(odd, () => hear()));
    await begun;
    const heard = next();
    await postgresStore(t, server).store.write(odd, "v", { ifVersion: null });
    await heard;
  });

  await t.test("the connection that listens may end: it is made again, and whoever watches is told to look", async (t) => {
    const { pool, store } = postgresStore(t, server);
    let hear;
    const next = () => new Promise((resolve) => (hear = resolve));
    const begun = next();
    t.after(store.watch("k", () => hear()));
    await begun;
    const backends = () => pool.query("SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN refresh_coordinator%'");
    const [before] = (await backends()).rows.slice(-1);
    const again = next();
    await pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND pid <> pg_backend_pid()");
    await again;
    for (;;) {
      const { rows } = await backends();
      if (rows.length > 0 && rows.every(({ pid }) => pid !== before.pid)) break;
    }
    const heard = next();
    const there = await store.read("k");
    await store.write("k", "v", { ifVersion: there?.version ?? null });
    await heard;
  });

  await t.test("a failure is told by its code, without the value", async (t) => {
    const { pool } = postgresStore(t, server);
    const store = sqlStore({ query: (statement, values) => pool.query(statement, values), table: "not_there" });
    for (const call of [() => store.read("k"), () => store.write("k", "a very secret value", { ifVersion: null })]) {
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof StoreError);
        assert.match(error.message, /^the database .+ \(42P01\): relation "not_there" does not exist$/);
        return true;
      });
    }
    const talkative = sqlStore({ query: (statement, values) => Promise.reject(new Error(`Failed query: ${statement}, params: ${values}`)) });
    await assert.rejects(() => talkative.write("k", "a very secret value", { ifVersion: null }), (error) => {
      assert.ok(error instanceof StoreError);
      assert.doesNotMatch(JSON.stringify([error.message, error.stack, error.cause]), /secret/);
      return true;
    });
  });
});

test("sqlStore on MariaDB", async (t) => {
  const server = await startMariaDb(t);
  const pools = [0, 1].map(() => createPool({ uri: server.url, connectionLimit: 4 }));
  t.after(() => Promise.all(pools.map((pool) => pool.end())));
  await pools[0].query(sqlTable({ dialect: "mysql" }));
  await keepsItsContract(t, pools.map((pool) => sqlStore({ query: (statement, values) => pool.execute(statement, values), dialect: "mysql" })));
});

test("sqlStore on SQLite", async (t) => {
  const query = await openSqlite(t);
  const store = () => sqlStore({ query, dialect: "sqlite" });
  await keepsItsContract(t, [store(), store()]);
});

test("options of another kind are named", () => {
  const query = () => [];
  for (const wrong of [{}, undefined, null, "postgres://"]) assert.throws(() => sqlStore(wrong), /`query` must be a function/);
  assert.throws(() => sqlStore({ query, listen: "yes" }), /`listen` must be a function/);
  assert.throws(() => sqlStore({ query, dialect: "oracle" }), /`dialect` must be one of postgres, sqlite, mysql/);
  assert.throws(() => sqlStore({ query, dialect: "toString" }), /`dialect` must be one of/);
  assert.throws(() => sqlStore({ query, listen: listener(""), dialect: "sqlite" }), /`listen` cannot be used with sqlite/);
  for (const table of ["", "a b", "a;b", "a.b.c", "1a", 5]) assert.throws(() => sqlStore({ query, table }), /`table` must be a name/);
  for (const lag of [-1, Infinity, "1"]) assert.throws(() => sqlStore({ query, lag }), /`lag` must be a number of milliseconds/);
});

test("what `query` resolves with must be rows", async () => {
  for (const result of [undefined, null, 5, "rows", {}]) {
    await assert.rejects(() => sqlStore({ query: () => result }).read("k"), /`query` must resolve with an array of rows/);
  }
  await assert.rejects(() => sqlStore({ query: () => [["value", "version"]] }).read("k"), /StoreError|named like the columns/);
});

/** By handles that take turns, each on connections of its own. */
async function keepsItsContract(t, stores) {
  let opened = 0;
  for (const { title, run } of storeContract(() => stores[(opened += 1) % stores.length])) await t.test(title, run);
}
