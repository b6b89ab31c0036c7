// Two processes, one real database, one real authorization server that ends a session whose refresh token it sees twice.

import assert from "node:assert/strict";
import test from "node:test";

import { ConfigurationError, RefreshCoordinator } from "refresh-coordinator";

import { PUBLIC_CLIENT, startAuthorizationServer } from "../authorization-server/provider.mjs";
import { WAYS } from "./connect.mjs";
import { startMember } from "./members.mjs";
import { makeTable } from "./pools.mjs";
import { startPostgres } from "./postgres-server.mjs";
import { startRedis } from "./redis-server.mjs";
import { startUpstashFront } from "./upstash-front.mjs";

const ROUNDS = 5;
const CALLERS = 10;
const SEAL_KEY = "at least sixteen characters";
/** Nothing of it is secret: it must be found where no token may be. */
const CONTROL = "what is not sealed is found";

const DATABASES = {
  Redis: { ways: ["node-redis", "ioredis", "@upstash/redis"], start: startRedis, addressOf: redisAddress },
  Postgres: { ways: ["pg, LISTEN", "pg, looks again"], start: startWithTable, addressOf: (_, { url }) => ({ url }) },
};

for (const [title, { ways, start, addressOf }] of Object.entries(DATABASES)) {
  test(`processes on one ${title}`, async (t) => {
    const database = await start(t);
    const server = await startAuthorizationServer();
    t.after(() => server.close());
    const everybody = [];

    for (const way of ways) {
      const address = await addressOf(way, database, t);
      const options = { clientId: PUBLIC_CLIENT, tokenEndpoint: server.tokenEndpoint, sealKey: SEAL_KEY, session: way };
      const pair = await Promise.all([0, 1].map(() => startMember(t, { way, address, options })));
      const { store, close } = await WAYS[way](address);
      everybody.push(...pair);

      await t.test(`${way}: a session is refreshed once for both, time after time`, async () => {
        const { tokens, session } = await server.signIn();
        await pair[0].call("setTokens", tokens);
        let token = await pair[1].call("getAccessToken");
        for (let round = 1; round <= ROUNDS; round += 1) {
          const rejected = token;
          const got = await Promise.all(calls(pair, (member) => member.call("refresh", { rejected })));
          assert.equal(new Set(got.map(({ accessToken }) => accessToken)).size, 1);
          token = got[0].accessToken;
          assert.notEqual(token, rejected);
          assert.equal(server.oracle.counts(session).rotations, round);
        }
        assert.deepEqual(server.oracle.counts(session), { granted: ROUNDS, refused: 0, rotations: ROUNDS, reuses: 0, revocations: 0, signOuts: 0 });
        assert.equal(await server.isActive(token), true);
      });

      await t.test(`${way}: requests with one old cookie get one successor, in whichever process they arrive`, async () => {
        const { tokens, session } = await server.signIn();
        let cookie = { refresh_token: tokens.refresh_token };
        for (let round = 1; round <= ROUNDS; round += 1) {
          const got = await Promise.all(calls(pair, (member) => member.call("renew", cookie)));
          assert.equal(new Set(got.map(({ accessToken }) => accessToken)).size, 1);
          // One that comes late, with the same old cookie.
          assert.equal((await pair[round % 2].call("renew", cookie)).accessToken, got[0].accessToken);
          assert.equal(server.oracle.counts(session).rotations, round);
          cookie = { refresh_token: got[0].refreshToken };
        }
        assert.equal(server.oracle.counts(session).reuses, 0);
        assert.equal(await server.isAlive(cookie.refresh_token), true);
      });

      await t.test(`${way}: a sign-out in one is a sign-out in the other`, async () => {
        await pair[0].call("signOut");
        await assert.rejects(() => pair[1].call("refresh"), { name: "NoSessionError" });
      });

      await t.test(`${way}: session mode without a seal key is refused`, async () => {
        const { sealKey, ...others } = options;
        const auth = new RefreshCoordinator({ ...others, store });
        const { tokens } = await server.signIn();
        for (const call of [() => auth.setTokens(tokens), () => auth.getAccessToken()]) {
          await assert.rejects(call, (error) => error instanceof ConfigurationError && error.message.includes("sealKey"));
        }
        auth.close();
      });

      await store.write(`control ${way}`, `${CONTROL} ${way}`, { ifVersion: null });
      await close();
    }

    await t.test("no token is on the disk of the database, nor in what anybody said", async () => {
      const everything = [await database.dump(), ...everybody.map((member) => member.said())].join("\n");
      for (const way of ways) assert.ok(everything.includes(`${CONTROL} ${way}`), "what is searched is what was stored");
      assert.ok(server.oracle.issued.length > ways.length * 2 * ROUNDS);
      for (const token of server.oracle.issued) assert.equal(everything.includes(token), false, "a token was found");
    });
  });
}

/** As many calls as there are callers, in both processes at once. */
const calls = (pair, call) => pair.flatMap((member) => Array.from({ length: CALLERS }, () => call(member)));

async function redisAddress(way, { url }, t) {
  return way === "@upstash/redis" ? startUpstashFront(t, url) : { url };
}

async function startWithTable(t) {
  const server = await startPostgres(t);
  await makeTable(server);
  return server;
}
