// The types as users meet them: what they promise compiles, and what they forbid does not. Compiled by `npm test`, never run.

import {
  ConfigurationError,
  InteractionRequiredError,
  InternalError,
  NoSessionError,
  RefreshCoordinator,
  RefreshError,
  RevokedError,
  StoreError,
  TransientError,
  memoryStore,
  type CoordinatorEvent,
  type Snapshot,
  type Store,
  type TokenSet,
} from "refresh-coordinator";
import { appStore, type AppStore } from "refresh-coordinator/stores/app";
import { fileStore, type FileLocking, type FileStore } from "refresh-coordinator/stores/file";
import { keyringStore, type KeyringEntry, type KeyringStore } from "refresh-coordinator/stores/keyring";
import { redisStore, type IoRedisClient, type NodeRedisClient, type RedisStore, type UpstashClient } from "refresh-coordinator/stores/redis";
import { sqlStore, sqlTable, type SqlListen, type SqlStore } from "refresh-coordinator/stores/sql";
import { storeContract } from "refresh-coordinator/testing";
import { indexedDbStore, webStorageStore, type WebStorageStore } from "refresh-coordinator/stores/web";
import { connect, type Coordinator, RevokedError as RevokedInWorker, serve, waitUntil } from "refresh-coordinator/worker";

/** The shape of React's hook of this name. */
declare function useSyncExternalStore<T>(subscribe: (changed: () => void) => () => void, getSnapshot: () => T): T;
/** The shape of a TanStack Query. */
declare function useQuery(query: {
  queryKey: readonly string[];
  queryFn: (context: { signal: AbortSignal }) => Promise<unknown>;
  retry: (failures: number, error: RefreshError) => boolean;
}): void;

const API = "https://api.example";

export function singlePageApp(): Snapshot["status"] {
  const auth = new RefreshCoordinator({ clientId: "web", tokenEndpoint: "https://issuer.example/token", origins: [API] });
  const { status } = useSyncExternalStore(auth.subscribe, auth.getSnapshot);
  useQuery({
    queryKey: ["orders"],
    queryFn: ({ signal }) => auth.fetch(`${API}/orders`, { signal }).then((reply) => reply.json()),
    retry: (failures, error) => failures < 3 && error.retryable,
  });
  return status;
}

export async function commandLine(store: Store, deviceFlow: () => Promise<Record<string, unknown>>): Promise<void> {
  const auth = new RefreshCoordinator({ clientId: "cli", tokenEndpoint: new URL("https://issuer.example/token"), store });
  await auth.setTokens(await deviceFlow());
  await auth.fetch(`${API}/me`).catch((error: unknown) => {
    if (error instanceof RefreshError && error.signInRequired) throw new Error("run `app login`");
    throw error;
  });
}

/** A keyring of one's own. That of the package is in `keyring.ts`. */
export function inTheKeyring(): KeyringStore[] {
  const file = fileStore(new URL("file:///home/ann/.config/cli/credentials.json"));
  const own: KeyringEntry = { getPassword: () => undefined, setPassword: () => {}, deletePassword: async () => true };
  return [
    keyringStore({ service: "cli", file }),
    keyringStore({ service: "cli", account: "ann", file, entry: () => own }),
    keyringStore({ service: "cli", file, entry: async () => own }),
  ];
}

/** A format of the app's own: fewer members than a token set, and other names. */
export function ownStorage(state: { session?: { jwt: string; refresh: string; until: number } | undefined }): AppStore {
  return appStore({
    load: () => state.session && { accessToken: state.session.jwt, refreshToken: state.session.refresh, expiresAt: state.session.until },
    save({ accessToken = "", refreshToken = "", expiresAt }) {
      state.session = { jwt: accessToken, refresh: refreshToken, until: expiresAt };
    },
    clear: () => delete state.session,
    lag: 250,
  });
}

/** Several servers. */
export function shared(node: NodeRedisClient, io: IoRedisClient, upstash: UpstashClient): RedisStore[] {
  const other = { send: async (command: string, values: string[]): Promise<unknown> => [command, values] };
  return [redisStore(node), redisStore(io, { prefix: "app:" }), redisStore(upstash, { lag: 0 }), redisStore(other)];
}

/** The shape of a pool of `pg`. */
interface Pool {
  query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
}

export async function inTables(pool: Pool, listen: SqlListen): Promise<SqlStore> {
  await pool.query(sqlTable({ table: "auth.sessions" }));
  return sqlStore({ query: (statement, values) => pool.query(statement, values), listen, table: "auth.sessions" });
}

/** The shape of the test function of node:test, Vitest and Jest. */
export function certified(test: (title: string, run: () => Promise<void>) => unknown, store: Store): void {
  for (const { title, run } of storeContract(() => store)) test(title, run);
}

/** What other code of the app reads. */
export const mirrors: readonly WebStorageStore[] = [
  webStorageStore({ key: "session", database: "my-app" }),
  webStorageStore({ items: { access_token: ({ accessToken }) => accessToken, name: () => undefined } }),
];
export const stores: readonly Store[] = [...mirrors, indexedDbStore({ database: "my-app" })];

export async function everyMember(auth: RefreshCoordinator, signal: AbortSignal): Promise<void> {
  const tokens: TokenSet = await auth.getTokens({ signal, params: { scope: "a b", resource: ["x", "y"] } });
  const token: string = await auth.getAccessToken();
  await auth.refresh();
  await auth.refresh({ rejected: token, signal });
  await auth.refresh({ mintedAfterNow: true });
  const renewed: TokenSet = await auth.renew(tokens, { signal });
  await auth.renew({ access_token: "A", refresh_token: "R", expires_in: 300 });
  await auth.renew(tokens, { newer: true, canPersist: false, signal, params: { scope: "a" } });
  await auth.renew(tokens, { mintedAfterNow: true });
  await auth.setTokens(renewed);
  const length: number = await auth.run((accessToken) => accessToken.length);
  const stop: () => void = auth.subscribe((event?: CoordinatorEvent) => console.log(event?.type, length));
  stop();
  const { revoked } = await auth.signOut();
  await auth.signOut(tokens);
  const { left } = await auth.drainRevocations();
  console.log(revoked, left, auth.stats().presentations);
  auth.close();
  auth[Symbol.dispose]();
}

export function everyError(error: RefreshError): string {
  if (error instanceof RevokedError) return error.reason;
  if (error instanceof TransientError) return new Date(error.retryAt ?? 0).toISOString();
  const others = [InteractionRequiredError, ConfigurationError, NoSessionError, StoreError, InternalError];
  const kind = others.find((kind) => error instanceof kind);
  return [kind?.name, error.code, error.fault, error.spent, error.status, error.oauthError].join();
}

export const custom = new RefreshCoordinator({
  name: "app",
  store: memoryStore(),
  async refresh({ refreshToken, signal, attempt, deadline }) {
    return fetch("/session/refresh", { method: "POST", body: JSON.stringify({ refreshToken, attempt, deadline }), signal });
  },
  classify: (refusal) => (refusal.status === 418 ? { class: "transient", spent: "no" } : undefined),
});

// @ts-expect-error a duration is a number of milliseconds
new RefreshCoordinator({ clientId: "web", tokenEndpoint: "/token", timeout: "10s" });
// @ts-expect-error all three are needed
appStore({ load: () => undefined, save: () => {} });
// @ts-expect-error the file beside the keyring is a store
keyringStore({ service: "cli", file: "credentials.json" });
// @ts-expect-error that is no client
redisStore({ get: async () => null });
// @ts-expect-error there is no such database
sqlStore({ query: () => [], dialect: "oracle" });
// @ts-expect-error an item is made by a function of the tokens
webStorageStore({ items: { access_token: "accessToken" } });
// @ts-expect-error there is no such option
new RefreshCoordinator({ clientId: "web", tokenEndpoint: "/token", retry: 3 });
// @ts-expect-error a snapshot holds no token
custom.getSnapshot().accessToken;
// @ts-expect-error token sets are frozen
void custom.getTokens().then((tokens) => (tokens.expiresAt = 0));
// @ts-expect-error the access token may be absent, in a cookie-only session
void custom.getTokens().then((tokens) => tokens.accessToken.length);

/** Code that uses a coordinator need not know where it is. */
export function wherever(): Coordinator[] {
  const here: Coordinator = new RefreshCoordinator({ clientId: "web", tokenEndpoint: "/token", store: memoryStore(), waitUntil });
  const serving = serve(new RefreshCoordinator({ clientId: "web", tokenEndpoint: "/token" }), { name: "second" });
  const { port1, port2 } = new MessageChannel();
  serving.accept(port1);
  // @ts-expect-error: only the worker's own coordinator works off revocations
  connect(port2).drainRevocations();
  // @ts-expect-error: an address is no worker
  connect("./auth-worker.js");
  return [here, connect(port2, { name: "second", origins: [API], callTimeout: 10_000, patience: 2_000 })];
}

export async function inTheWorker(auth: Coordinator): Promise<string | undefined> {
  try {
    return await auth.run((accessToken) => accessToken);
  } catch (error) {
    return error instanceof RevokedInWorker ? error.reason : undefined;
  }
}

export function credentialFile(kernel: FileLocking): FileStore[] {
  // @ts-expect-error there is no such kind of lock
  fileStore("credentials.json", { lock: "kernel" });
  return [fileStore("credentials.json"), fileStore(new URL("file:///c.json"), { lock: kernel, lag: 60_000 }), fileStore("c.json", { lock: false })];
}
