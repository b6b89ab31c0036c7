// A run of the cluster: processes that share a database, browsers before a proxy, an authorization server that ends a session at the second
// use of a token, and whatever a plan does to them. What came of it is for the judge.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { strict } from "../authorization-server/personalities.mjs";
import { PUBLIC_CLIENT, startAuthorizationServer } from "../authorization-server/provider.mjs";
import { Record } from "../chaos/record.mjs";
import { Authority } from "./authority.mjs";
import { Browser } from "./browser.mjs";
import { DATABASES } from "./databases.mjs";
import { Deeds } from "./deeds.mjs";
import { Instances } from "./instances.mjs";
import { Keys } from "./keys.mjs";
import { Line } from "./line.mjs";
import { startRoundRobin } from "./round-robin.mjs";
import { wholeRecord } from "./whole-record.mjs";

const SEAL_KEY = "at least sixteen characters";
/** It is in every place where no token may be, so that it is found there. */
const CONTROL = "Of_a_token_that_is_none_but_looks_like_one";

/**
 * @param plan what is to happen
 * @param lifetime of an access token, in seconds
 * @param timeout of one attempt, in milliseconds
 * @param patience of a browser, in milliseconds
 * @returns the `record`, the `texts` in which no token may be, by their places, the `secrets` and the `control`
 */
export async function run(t, { database: name, mode, plan, seed, sessions, expiries, processes, lifetime, timeout, patience }) {
  const kind = DATABASES[name];
  const database = await kind.start(t);
  const line = await Line.to(database.port);
  const server = await startAuthorizationServer(strict, { accessTokenLifetime: lifetime });
  const folder = await mkdtemp(join(tmpdir(), "refresh-coordinator-cluster-"));
  const record = new Record();
  const options = { clientId: PUBLIC_CLIENT, tokenEndpoint: server.tokenEndpoint, sealKey: SEAL_KEY, timeout };
  const address = { url: database.url.replace(`:${database.port}`, `:${line.port}`) };
  const settings = (slot) => ({ way: kind.ways[slot % kind.ways.length], address, mode, options, says: CONTROL });
  const instances = new Instances({ count: processes, settings, record, folder });
  const deeds = new Deeds({ instances, database, line, record });
  const authority = new Authority({ server, record, instances, plan, act: deeds.act });
  const proxy = await startRoundRobin(() => instances.ports);
  const keys = new Keys(options);
  t.after(async () => {
    keys.close();
    await instances.close();
    await Promise.all([proxy.close(), line.close(), server.close(), rm(folder, { recursive: true, force: true })]);
  });

  await instances.start();
  const scene = { origin: proxy.origin, mode, seed, server, authority, record, expiries, lifetime, patience };
  const browsers = Array.from({ length: sessions }, (_, number) => new Browser(scene, number + 1));
  // Not all at once: they arrive in the time in which the first access token ends.
  await Promise.all(browsers.map((browser, number) => sleep((number / sessions) * lifetime * 1_000).then(() => browser.live())));
  instances.rest();
  await deeds.over();
  await Promise.all(browsers.map((browser) => browser.lookAgain()));
  await authority.atRest();
  for (const { session } of browsers) {
    record.push({ type: "looked", session, alive: await server.hasSession(session), rotations: server.oracle.counts(session).rotations });
  }
  record.push({ type: "over" });
  await kind.say(database, "control", CONTROL);
  await instances.close();

  const texts = { ...instances.said, "the database's disk and log": await database.dump(), "the database's rows": (await kind.rows(database)).join("\n") };
  const keyOf = await keys.ofPresentations(mode, { names: authority.names, browsers });
  return {
    record: wholeRecord(record, { said: Object.values(instances.said), browsers, keyOf }),
    ...{ texts, secrets: server.oracle.issued, control: CONTROL },
    counts: { presentations: server.oracle.presentations, ...server.oracle.counts() },
  };
}
