// The example of a command-line tool: signed in by a code that the user enters elsewhere, and run many times at once.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { approve, DEVICE_CLIENT } from "../authorization-server/device-flow.mjs";
import { unavailable } from "../authorization-server/faults.mjs";
import { startAuthorizationServer } from "../authorization-server/provider.mjs";
import { startResourceServer } from "../authorization-server/resource-server.mjs";
import { temporaryFolder } from "./temporary-folder.mjs";

const APP = fileURLToPath(new URL("../../examples/command-line/app.js", import.meta.url));
const AN_HOUR_LATER = ["--import", new URL("an-hour-later.mjs", import.meta.url).href];
const TWO_HOURS_LATER = [...AN_HOUR_LATER, "--import", new URL("an-hour-later.mjs?once-more", import.meta.url).href];
const PROCESSES = 32;
const NAME = "Ada";

async function scene(t) {
  const home = await temporaryFolder(t, "tool");
  const server = await startAuthorizationServer();
  t.after(() => server.close());
  const api = await startResourceServer((token) => server.isActive(token));
  t.after(() => api.close());
  api.answer = (response) => response.end(JSON.stringify({ name: NAME }));
  const env = {
    ...process.env,
    XDG_CONFIG_HOME: home,
    APP_CLIENT_ID: DEVICE_CLIENT,
    APP_ISSUER: server.issuer,
    APP_TOKEN_ENDPOINT: server.tokenEndpoint,
    APP_REVOCATION_ENDPOINT: server.revocationEndpoint,
    APP_API: api.origin,
  };
  const said = [];

  /** Runs the tool. `begun` is given the process, `hear` each line. */
  async function app(args, { flags = [], hear = () => {}, begun = () => {} } = {}) {
    const child = spawn(process.execPath, [...flags, APP, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    begun(child);
    const lines = { stdout: [], stderr: [] };
    for (const name of Object.keys(lines)) {
      createInterface({ input: child[name] }).on("line", (line) => {
        lines[name].push(line);
        said.push(line);
        hear(line);
      });
    }
    const code = await new Promise((resolve) => child.once("close", resolve));
    return { code, stdout: lines.stdout.join("\n"), stderr: lines.stderr.join("\n") };
  }

  /** Signs in, with a user who does as the tool says. */
  async function login(...more) {
    let approval;
    const hear = (line) => {
      const [, page, code] = /^Open (\S+) and enter (\S+)$/.exec(line) ?? [];
      if (page) approval = approve(page, code);
    };
    const result = await app(["login", ...more], { hear });
    await approval;
    return result;
  }

  return { home, server, api, app, login, said };
}

test("signed in once, the tool runs many times at once with an expired token, until it is signed out", async (t) => {
  const { home, server, api, app, login, said } = await scene(t);
  const notSignedIn = { code: 4, stdout: "", stderr: "You are not signed in: run `app login`." };
  assert.deepEqual(await app(["whoami"]), notSignedIn);
  assert.equal(api.requests.length, 0);

  const { code, stdout, stderr } = await login();
  assert.equal(stderr, "");
  assert.match(stdout, /You are signed in\.$/);
  assert.equal(code, 0);
  const file = join(home, "app", "credentials.json");
  if (process.platform !== "win32") assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.deepEqual(await app(["whoami"]), { code: 0, stdout: NAME, stderr: "" });
  assert.equal(server.oracle.counts().rotations, 0);

  const all = await Promise.all(Array.from({ length: PROCESSES }, () => app(["whoami"], { flags: AN_HOUR_LATER })));
  for (const result of all) assert.deepEqual(result, { code: 0, stdout: NAME, stderr: "" });
  assert.equal(server.oracle.counts().rotations, 1);
  assert.equal(server.oracle.counts().reuses, 0);
  assert.equal(new Set(api.requests.slice(1).map(({ authorization }) => authorization)).size, 1);

  assert.deepEqual(await app(["logout"]), { code: 0, stdout: "You are signed out.", stderr: "" });
  assert.equal(server.oracle.counts().signOuts, 1);
  assert.deepEqual(await app(["whoami"]), notSignedIn);
  const left = await Promise.all((await readdir(join(home, "app"))).map((name) => readFile(join(home, "app", name), "utf8")));
  for (const token of server.oracle.issued) assert.equal([...said, ...left].join("\n").includes(token), false, "a token is left, or was printed");
});

test("another credential file is another sign-in", async (t) => {
  const { home, app, login } = await scene(t);
  const option = ["--credentials", join(home, "elsewhere.json")];
  assert.equal((await login(...option)).code, 0);
  assert.equal((await app(["whoami"])).code, 4);
  assert.deepEqual(await app(["whoami", ...option]), { code: 0, stdout: NAME, stderr: "" });
});

test("what can be tried again, and what was called wrongly, ends in a way of its own", async (t) => {
  const { server, app, login } = await scene(t);
  await login();
  server.next(Infinity, unavailable());
  const { code, stderr } = await app(["whoami"], { flags: AN_HOUR_LATER });
  assert.equal(code, 75);
  assert.match(stderr, /^app whoami: /);
  server.heal();
  assert.equal((await app(["whoami"], { flags: TWO_HOURS_LATER })).code, 0);

  for (const args of [[], ["whatever"], ["whoami", "again"], ["whoami", "--unknown"]]) assert.equal((await app(args)).code, 2, args.join(" "));
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  test(`a ${signal} during a refresh ends the waiting, and what the server replied is kept`, async (t) => {
    const { server, app, login } = await scene(t);
    await login();
    const held = server.holdReply();
    const interrupted = app(["whoami"], {
      flags: AN_HOUR_LATER,
      begun: (child) => held.arrived.then(() => child.kill(signal)),
      hear: (line) => line.endsWith("interrupted") && held.release(),
    });
    assert.deepEqual(await interrupted, { code: 130, stdout: "", stderr: "app whoami: interrupted" });
    assert.equal(server.oracle.counts().rotations, 1);
    assert.deepEqual(await app(["whoami"], { flags: AN_HOUR_LATER }), { code: 0, stdout: NAME, stderr: "" });
    assert.equal(server.oracle.counts().rotations, 1);
  });
}
