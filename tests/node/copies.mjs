// Copies of the package as one process may hold them: by import, by require, and from a second installation.

import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import * as imported from "refresh-coordinator";

import { Clock } from "./clock.mjs";
import { authorizationServer, coordinator, LIFETIME } from "./scene.mjs";

const pkg = dirname(fileURLToPath(import.meta.resolve("refresh-coordinator")));

/** What `require` finds on a Node that cannot require ECMAScript modules. */
export const commonJs = createRequire(import.meta.url)(join(pkg, "index.cjs"));

/** A second installation of the package, as a bundler or a nested dependency makes one, with no other package beside it: its folder. */
export async function secondInstallation(t) {
  const place = await mkdtemp(join(tmpdir(), "refresh-coordinator-"));
  t.after(() => rm(place, { recursive: true }));
  await cp(pkg, join(place, "pkg"), { recursive: true });
  await cp(join(pkg, "..", "package.json"), join(place, "package.json"));
  return join(place, "pkg");
}

/** An entry of an installation, as a module. */
export const entryOf = (installation, name) => import(pathToFileURL(join(installation, name)));

/** A coordinator of each of three copies refreshes a session of its own, once. */
export async function refreshInEachCopy(t) {
  const [server, clock] = [await authorizationServer(t), new Clock()];
  for (const from of await copies(t)) {
    const auth = coordinator(t, server, { from, clock });
    await auth.setTokens((await server.signIn()).tokens);
    clock.advance(LIFETIME);
    await auth.getTokens();
  }
}

/** Three copies of the default entry. */
export async function copies(t) {
  const all = [imported, commonJs, await entryOf(await secondInstallation(t), "index.js")];
  assert.equal(new Set(all.map((copy) => copy.RefreshCoordinator)).size, 3, "they are copies indeed");
  return all;
}
