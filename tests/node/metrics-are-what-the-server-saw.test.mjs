// The entry `opentelemetry`, with OpenTelemetry's own SDK: what is counted is held against what the authorization server saw.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import test from "node:test";

import { metrics } from "@opentelemetry/api";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";

import { memoryStore } from "refresh-coordinator";
import { RefreshCoordinatorInstrumentation } from "refresh-coordinator/opentelemetry";

import * as faults from "../authorization-server/faults.mjs";
import { Clock } from "./clock.mjs";
import { entryOf, refreshInEachCopy, secondInstallation } from "./copies.mjs";
import { rejection } from "./errors.mjs";
import { authorizationServer, coordinator, LIFETIME, scene, times } from "./scene.mjs";
import { assertNoSecrets } from "./secrets.mjs";
import { TestStore } from "./store.mjs";

const settled = () => new Promise(setImmediate);

/** A provider whose numbers can be read: of a counter by its attribute, of a histogram as it is. */
function provider(t) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const made = new MeterProvider({ readers: [reader] });
  t.after(() => made.shutdown());
  async function read() {
    await settled();
    exporter.reset();
    await reader.forceFlush();
    const scopes = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    return scopes.flatMap((scope) => scope.metrics.map((metric) => ({ ...metric, scope: scope.scope })));
  }
  async function numbers() {
    const found = {};
    for (const { descriptor, dataPoints } of await read()) {
      const rows = dataPoints.map(({ attributes, value }) => [Object.values(attributes).join(), value]);
      found[descriptor.name.replace("refresh_coordinator.", "")] = rows.length === 1 && rows[0][0] === "" ? rows[0][1] : Object.fromEntries(rows);
    }
    return found;
  }
  return { provider: made, read, numbers };
}

/** Counts for a provider until the test is over. */
function instrumented(t, { from = { RefreshCoordinatorInstrumentation }, config, ...sdk } = provider(t)) {
  const instrumentation = new from.RefreshCoordinatorInstrumentation(config);
  t.after(() => instrumentation.disable());
  if (sdk.provider) instrumentation.setMeterProvider(sdk.provider);
  return { ...sdk, instrumentation };
}

const total = (counts) => (typeof counts === "object" ? Object.values(counts).reduce((sum, count) => sum + count, 0) : (counts ?? 0));

test("presentations, refusals and their time; joins, adoptions, waits, and what ended", async (t) => {
  const { numbers, read } = instrumented(t);
  const clock = new Clock();
  const store = new TestStore(clock);
  const { locks } = memoryStore();
  const began = performance.now();
  const server = await authorizationServer(t);
  const { tokens } = await server.signIn();
  const options = { clock, store, locks, retries: 0, session: "ada@example.com" };
  const all = times(3, () => coordinator(t, server, options));
  await all[0].setTokens(tokens);
  for (let expiry = 0; expiry < 4; expiry += 1) {
    clock.advance(LIFETIME);
    const held = server.holdReply();
    const calls = times(5, () => all[0].getTokens());
    await held.arrived;
    for (const auth of all) calls.push(...times(5, () => auth.getTokens()));
    held.release();
    await Promise.all(calls);
  }
  clock.advance(LIFETIME);
  server.next(1, faults.unavailable());
  await rejection(all[0].getTokens());
  clock.advance(2_000);
  server.next(1, faults.oauthError("invalid_client", 401));
  await rejection(all[1].getTokens());
  server.next(1, faults.oauthError("interaction_required"));
  await rejection(all[2].getTokens());
  clock.advance(10_000);
  server.next(1, faults.oauthError("invalid_grant"));
  const { reason } = await rejection(all[0].getTokens());

  const counted = await numbers();
  const stats = all.map((auth) => auth.stats());
  const sum = (name) => stats.reduce((count, each) => count + each[name], 0);
  assert.equal(counted.presentations, server.oracle.presentations);
  assert.equal(counted.presentations, sum("presentations"));
  assert.deepEqual(counted.refusals, { transient: 1, configuration: 1, interaction: 1, revoked: 1 });
  assert.equal(total(counted.refusals), sum("refusals"));
  assert.equal(counted.joins, sum("joins"));
  assert.equal(counted.adoptions, sum("adoptions"));
  assert.equal(counted.joins + counted.adoptions, sum("presentationsSaved"));
  assert.equal(counted.waits, sum("waits"));
  assert.ok(counted.joins > 0 && counted.adoptions > 0 && counted.waits > 0);
  assert.deepEqual(counted.revoked_sessions, { [reason]: 1 });

  const metricsRead = await read();
  const { descriptor, dataPoints } = metricsRead.find(({ descriptor }) => descriptor.name === "refresh_coordinator.presentation.duration");
  assert.equal(descriptor.unit, "s");
  const granted = dataPoints.find(({ attributes }) => attributes["refresh_coordinator.verdict"] === "granted").value;
  assert.equal(granted.count, server.oracle.counts().granted);
  assert.equal(dataPoints.reduce((count, { value }) => count + value.count, 0), server.oracle.presentations);
  const longest = Math.max(...dataPoints.map(({ value }) => value.max));
  assert.ok(longest > 0 && longest <= (performance.now() - began) / 1000, "seconds");
  assert.ok(granted.buckets.boundaries.includes(0.025), "boundaries for seconds");
  for (const { scope } of metricsRead) assert.equal(scope.name, "refresh-coordinator");
  const record = Object.keys(store.contents)[0];
  assertNoSecrets(metricsRead, [...server.oracle.issued, tokens.refresh_token, "ada@example.com", record]);
});

test("store failures by operation, and take-overs", async (t) => {
  const { numbers } = instrumented(t);
  const clock = new Clock();
  const store = new TestStore(clock);
  const { locks } = memoryStore();
  const { server, auth, expire } = await scene(t, { clock, store, locks });
  const held = server.holdReply();
  expire();
  const caller = auth.getTokens();
  await held.arrived;
  store.instead.write = () => {
    throw new Error("the store is away");
  };
  held.release();
  await caller;
  auth.close();
  const resting = () => clock.sleeping.find((ms) => ms <= 4_000);
  for (await settled(); resting() !== undefined; await settled()) clock.advance(resting());
  const failures = store.calls.filter(([method]) => method === "write").length - 2;
  assert.deepEqual((await numbers()).store_failures, { write: failures, commit: 1 });
  store.instead = {};
  const next = coordinator(t, server, { clock, store, locks });
  const refused = rejection(next.getTokens());
  clock.advance(await clock.asleep(1_200));
  await refused;
  const counted = await numbers();
  assert.equal(counted.take_overs, next.stats().takeOvers);
  assert.equal(counted.take_overs, 1);
  assert.deepEqual(counted.revoked_sessions, { "response-lost": 1 });
});

test("degradations and revocations that fail", async (t) => {
  const { numbers } = instrumented(t);
  const server = await authorizationServer(t);
  const waitUntil = () => {
    throw new TypeError("Illegal invocation");
  };
  const auth = coordinator(t, server, { clock: new Clock(), waitUntil, revocationEndpoint: server.revocationEndpoint });
  await auth.setTokens((await server.signIn()).tokens);
  server.next(1, faults.unavailable(), "revocation");
  await auth.signOut();
  const counted = await numbers();
  assert.ok(counted.degradations.waitUntil > 0);
  assert.equal(counted.revocation_failures, 1);
});

test("every copy of the package is counted, by every copy of the entry", async (t) => {
  const required = createRequire(import.meta.url)("refresh-coordinator/opentelemetry");
  const entries = [{ RefreshCoordinatorInstrumentation }, required];
  const sdks = entries.map((from) => instrumented(t, { from, ...provider(t) }));
  await refreshInEachCopy(t);
  for (const { numbers } of sdks) assert.equal((await numbers()).presentations, 3);
});

test("registered with OpenTelemetry's own function, enabled, disabled, and enabled again", async (t) => {
  const { provider: meterProvider, numbers } = provider(t);
  const instrumentation = new RefreshCoordinatorInstrumentation({ enabled: false });
  assert.deepEqual([instrumentation.instrumentationName, instrumentation.getConfig()], ["refresh-coordinator", { enabled: false }]);
  assert.match(instrumentation.instrumentationVersion, /^\d+\.\d+\.\d+/);
  const { auth, expire } = await scene(t);
  const again = async () => {
    expire();
    await auth.getTokens();
    return (await numbers()).presentations;
  };
  assert.equal(await again(), undefined);
  const unregister = registerInstrumentations({ instrumentations: [instrumentation], meterProvider });
  assert.equal(await again(), 1);
  registerInstrumentations({ instrumentations: [instrumentation], meterProvider });
  instrumentation.enable();
  assert.equal(await again(), 2, "enabled twice it counts once");
  unregister();
  assert.equal(await again(), 2);
  instrumentation.enable();
  t.after(() => instrumentation.disable());
  assert.equal(await again(), 3);
});

test("a provider that is registered globally after everything else is found", async (t) => {
  const instrumentation = new RefreshCoordinatorInstrumentation();
  t.after(() => instrumentation.disable());
  registerInstrumentations({ instrumentations: [instrumentation] });
  const { auth, expire } = await scene(t);
  expire();
  await auth.getTokens();
  const { provider: late, numbers } = provider(t);
  metrics.setGlobalMeterProvider(late);
  t.after(() => metrics.disable());
  expire();
  await auth.getTokens();
  assert.equal((await numbers()).presentations, 1);
});

test("where `@opentelemetry/api` is not installed, everything else works, and this entry says what it lacks", async (t) => {
  const installation = await secondInstallation(t);
  const from = await entryOf(installation, "index.js");
  const { expire, auth } = await scene(t, { from });
  expire();
  await auth.getTokens();
  await assert.rejects(entryOf(installation, "opentelemetry.js"), /Cannot find package '@opentelemetry\/api'/);
  const require = createRequire(import.meta.url);
  assert.throws(() => require(`${installation}/opentelemetry.cjs`), /Cannot find module '@opentelemetry\/api'/);
});
