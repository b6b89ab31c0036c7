// Programs whose lives the tests watch: what they say, how they end, and whether they ended by themselves.

import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { RefreshCoordinator } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";

import { PUBLIC_CLIENT, startAuthorizationServer } from "../../authorization-server/provider.mjs";

/** A server, and a credential file with a session that has no access token: whoever wants one must refresh. */
export async function signedIn(t, { personality, store = fileStore } = {}) {
  const server = await startAuthorizationServer(personality);
  t.after(() => server.close());
  const path = join(await folder(t), "credentials.json");
  const options = { clientId: PUBLIC_CLIENT, tokenEndpoint: server.tokenEndpoint };
  /** One more coordinator on the file, as another process would have it. */
  const another = () => {
    const auth = new RefreshCoordinator({ ...options, store: store(path) });
    t.after(() => auth.close());
    return auth;
  };
  const { tokens, session } = await server.signIn();
  const first = another();
  await first.setTokens({ refresh_token: tokens.refresh_token });
  first.close();
  return { server, session, path, options, another, settings: { path, options }, counts: () => server.oracle.counts(session) };
}

/** A folder that is removed with the test. */
export async function folder(t) {
  const path = await mkdtemp(join(tmpdir(), "refresh-coordinator-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Starts one. It is ended with the test at the latest. */
export function run(t, file, settings, { execPath = process.execPath, env = process.env, flags = [] } = {}) {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(settings)], {
    ...{ execPath, env, execArgv: ["--unhandled-rejections=strict", ...flags] },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const said = [];
  const printed = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => printed.push(text));
  const ended = Promise.all([once(child, "exit"), once(child.stdout, "close"), once(child.stderr, "close")]).then(([[code, signal]]) => ({
    how: code ?? signal,
    said,
    printed: printed.join(""),
  }));
  const words = new Map();
  const word = (name) => {
    if (!words.has(name)) words.set(name, Promise.withResolvers?.() ?? withResolvers());
    return words.get(name);
  };
  child.on("message", ({ say, value }) => {
    said.push(say);
    word(say).resolve(value);
  });
  t.after(() => void child.kill("SIGKILL"));
  return {
    ended,
    /** What it says by a name; fails if it ends without. */
    says: (name) =>
      Promise.race([word(name).promise, ended.then(({ how, printed }) => Promise.reject(new Error(`ended with ${how} before it said ${name}: ${printed}`)))]),
    tell: (word) => child.send(word),
    signal: (name) => child.kill(name),
  };
}

function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
