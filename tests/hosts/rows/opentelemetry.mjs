// The metrics, with OpenTelemetry's own packages beside this one.

import assert from "node:assert/strict";

import { execute } from "../execute.mjs";
import { version } from "../project.mjs";
import { scene } from "../scene.mjs";

export const rows = Object.entries({ import: "metrics.mjs", require: "metrics.cjs" }).map(([way, file]) => ({
  name: `OpenTelemetry, ${way}`,
  async run(row) {
    const { settings, server, believe } = await scene(row);
    const cwd = await row.project("opentelemetry");
    const { stdout } = await execute(process.execPath, ["--unhandled-rejections=strict", file, JSON.stringify(settings)], { cwd });
    const { report, counts } = JSON.parse(stdout);
    await believe(report);
    assert.deepEqual(counts, {
      "refresh_coordinator.presentation.duration": server.oracle.presentations,
      "refresh_coordinator.presentations": server.oracle.presentations,
      "refresh_coordinator.refusals": server.oracle.counts().refused,
      "refresh_coordinator.joins": settings.callers - 1,
      "refresh_coordinator.revoked_sessions": 1,
    });
    return { host: `@opentelemetry/sdk-metrics ${await version(cwd, "@opentelemetry/sdk-metrics")}`, did: "counts are what the server saw" };
  },
}));
