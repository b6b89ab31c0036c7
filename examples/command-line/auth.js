// The coordinator of this tool. Every process that runs it has one of its own, and all have the session in one file.

import { homedir } from "node:os";
import { join } from "node:path";

import { RefreshCoordinator } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";

import { api, clientId, revocationEndpoint, tokenEndpoint } from "./settings.js";

/** Where the credentials are, unless an option says otherwise. */
export function defaultPath({ XDG_CONFIG_HOME, APPDATA } = process.env) {
  const home = homedir();
  const folder = process.platform === "win32" ? APPDATA || join(home, "AppData", "Roaming") : XDG_CONFIG_HOME || join(home, ".config");
  return join(folder, "app", "credentials.json");
}

export function coordinator(path) {
  return new RefreshCoordinator({ clientId, tokenEndpoint, revocationEndpoint, origins: [new URL(api).origin], store: fileStore(path) });
}
