// A folder that is read-only, a disk that is full, a file that cannot be read, locks that are not to be had: each is said, and costs
// nobody the tokens he has.

import assert from "node:assert/strict";
import { once } from "node:events";
import { cp, mkdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { PUBLIC_CLIENT, startAuthorizationServer } from "../authorization-server/provider.mjs";
import { folder, json, namesIn, start } from "./file/scene.mjs";
import { refreshesOnce } from "./file/shared-refresh.mjs";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

async function scene(t, more = {}) {
  const server = await startAuthorizationServer(undefined, more);
  t.after(() => server.close());
  const place = await folder(t);
  const path = join(place, "credentials.json");
  const options = { clientId: PUBLIC_CLIENT, tokenEndpoint: server.tokenEndpoint };
  return { server, place, path, settings: { path, options }, ...(await server.signIn()) };
}

/** For one process. What is open there may still be written to. */
const readOnly = (place) => `mount --bind "${place}" "${place}" && mount -o remount,bind,ro "${place}"`;
/** At once, whatever is still open or watched there. */
const writable = (place) => `umount --lazy "${place}"`;
const small = (place) => `mount -t tmpfs -o size=64k tmpfs "${place}"`;
const fill = (place) => `cat /dev/zero > "${place}/filling" 2> "${place}/../said" || true`;

test("a session in a folder that has become read-only: its tokens are served, none is presented without a claim, and it goes on afterwards", async (t) => {
  const { server, place, settings, tokens, session } = await scene(t);
  const one = await start(t, settings);
  await one.auth("setTokens", tokens);
  const other = await start(t, settings, { mounts: readOnly(place) });
  assert.equal(await other.auth("getAccessToken"), tokens.access_token);
  await assert.rejects(other.auth("refresh"), { name: "StoreError", code: "store-read-only" });
  await other.event({ type: "store-failed", operation: "write" });
  assert.equal(server.oracle.presentations, 0);
  assert.equal(await other.auth("getAccessToken"), tokens.access_token);
  await other.call("sh", writable(place));
  const { accessToken } = await other.auth("refresh");
  assert.equal((await one.auth("refresh", { rejected: tokens.access_token })).accessToken, accessToken);
  assert.deepEqual([server.oracle.counts(session).rotations, server.oracle.counts(session).reuses], [1, 0]);
});

test("with the option to do so, a process whose folder is read-only refreshes without a claim, and keeps what it got in memory", async (t) => {
  const { server, place, settings, tokens, session } = await scene(t);
  const one = await start(t, settings);
  await one.auth("setTokens", tokens);
  const options = { ...settings.options, onStoreFailure: "open" };
  const other = await start(t, { ...settings, options }, { mounts: readOnly(place) });
  assert.equal(await other.auth("getAccessToken"), tokens.access_token);
  const { refreshToken } = await other.auth("refresh");
  await other.event({ type: "degraded", what: "claim" });
  await other.event({ type: "store-failed", operation: "write" });
  assert.equal(await server.isAlive(refreshToken), true);
  await other.call("sh", writable(place));
  await other.event({ type: "refreshed" });
  assert.equal((await one.auth("refresh", { rejected: tokens.access_token })).refreshToken, refreshToken);
  assert.deepEqual([server.oracle.counts(session).rotations, server.oracle.counts(session).reuses], [1, 0]);
});

test("a folder that becomes read-only while the reply is on its way: who asked has the tokens, and they are written as soon as they can be", async (t) => {
  const { server, place, settings, tokens, session } = await scene(t);
  const one = await start(t, settings, { mounts: "true" });
  await one.auth("setTokens", tokens);
  const held = server.holdReply();
  const refreshed = one.auth("refresh");
  await held.arrived;
  await one.call("sh", readOnly(place));
  held.release();
  const { accessToken, refreshToken } = await refreshed;
  assert.equal(await server.isAlive(refreshToken), true);
  await one.event({ type: "store-failed", operation: "write" });
  assert.equal(await server.isActive(await one.auth("getAccessToken")), true);
  await one.call("sh", writable(place));
  await one.event({ type: "refreshed" });
  const other = await start(t, settings);
  assert.equal(await other.auth("getAccessToken"), accessToken);
  assert.deepEqual([server.oracle.counts(session).rotations, server.oracle.counts(session).reuses], [1, 0]);
});

test("a disk that is full while the reply is on its way: who asked has the tokens, and they are written when there is room", async (t) => {
  const { server, place, path, settings, tokens, session } = await scene(t);
  const disk = join(place, "disk");
  await mkdir(disk);
  const one = await start(t, { ...settings, path: join(disk, "credentials.json") }, { mounts: small(disk) });
  await one.auth("setTokens", tokens);
  const held = server.holdReply();
  const refreshed = one.auth("refresh");
  await held.arrived;
  await one.call("sh", fill(disk));
  held.release();
  const { accessToken } = await refreshed;
  await one.event({ type: "store-failed", operation: "write" });
  const [, reason] = (await Promise.allSettled([one.auth("getAccessToken"), one.write("another", "v")])).map(({ reason }) => reason);
  assert.deepEqual([reason.name, reason.code], ["StoreError", "store-full"]);
  // What is there is what was there before, whole.
  await one.call("sh", `cp "${disk}/credentials.json" "${path}"`);
  assert.ok((await readFile(path, "utf8")).includes(tokens.refresh_token));
  assert.equal(typeof (await json(path))["refresh-coordinator"].revision, "string");
  await one.call("sh", `rm "${disk}/filling"`);
  await one.event({ type: "refreshed" });
  await one.call("sh", `cp "${disk}/credentials.json" "${path}"; ls "${disk}" > "${path}.names"`);
  assert.ok((await readFile(path, "utf8")).includes(accessToken));
  assert.equal(await readFile(`${path}.names`, "utf8"), "credentials.json\ncredentials.json.lock\n", "nothing is left of what failed");
  assert.deepEqual([server.oracle.counts(session).rotations, server.oracle.counts(session).reuses], [1, 0]);
});

test("a sign-in on a full disk says so, and the session that was there is as it was", async (t) => {
  const { server, place, settings, tokens } = await scene(t);
  const disk = join(place, "disk");
  await mkdir(disk);
  const one = await start(t, { ...settings, path: join(disk, "credentials.json") }, { mounts: small(disk) });
  await one.auth("setTokens", tokens);
  await one.call("sh", fill(disk));
  const { tokens: others } = await server.signIn();
  await assert.rejects(one.auth("setTokens", others), { name: "StoreError", code: "store-full" });
  assert.equal(await one.auth("getAccessToken"), tokens.access_token);
});

test("a file that cannot be read is an event, and no end of the session", async (t) => {
  const { path, settings, place } = await scene(t);
  await mkdir(path);
  const one = await start(t, settings);
  await assert.rejects(one.auth("getAccessToken"), { name: "StoreError", code: "store-unreadable" });
  await one.event({ type: "degraded", what: "store" });
  assert.deepEqual(await namesIn(place), ["credentials.json"]);
});

/** Without locks: the second process waits for the intent of the first, and both are told once what is missing. */
async function sharesWithoutLocks(scene, startOne) {
  const both = await Promise.all([startOne(), startOne()]);
  await both[0].auth("setTokens", scene.tokens);
  await refreshesOnce(scene, both, "holdRequest");
  return both.map(({ events }) => events.filter(({ type, what }) => type === "degraded" && what === "locks").length);
}

test("where the package with the locks is not installed, intents decide, and it is said", async (t) => {
  const all = await scene(t);
  // The package and the program as they are where nothing else is installed.
  const home = join(all.place, "node_modules");
  const package_ = join(home, "refresh-coordinator");
  await mkdir(package_, { recursive: true });
  await symlink(join(REPOSITORY, "package.json"), join(package_, "package.json"));
  await cp(join(REPOSITORY, "pkg"), join(package_, "pkg"), { recursive: true });
  const program = join(all.place, "process.mjs");
  await cp(join(REPOSITORY, "tests/processes/file/process.mjs"), program);
  assert.deepEqual(await sharesWithoutLocks(all, () => start(t, all.settings, { program })), [1, 1]);
  assert.deepEqual((await namesIn(all.place)).filter((name) => name.startsWith("credentials")), ["credentials.json"]);
});

test("where the folder is on a network, intents decide, and it is said", async (t) => {
  const all = await scene(t);
  const NFS = 0x6969;
  assert.deepEqual(await sharesWithoutLocks(all, () => start(t, { ...all.settings, statfs: NFS })), [1, 1]);
});

test("where no locks are wanted, intents decide, and nothing needs to be said", async (t) => {
  const all = await scene(t);
  assert.deepEqual(await sharesWithoutLocks(all, () => start(t, { ...all.settings, store: { lock: false } })), [0, 0]);
});

test("who has the locks and who has none share a session", async (t) => {
  const all = await scene(t);
  const how = [{}, { lock: false }];
  assert.deepEqual(await sharesWithoutLocks(all, () => start(t, { ...all.settings, store: how.shift() })), [0, 0]);
});
