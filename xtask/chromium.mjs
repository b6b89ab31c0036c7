// Installs a Chromium by the system's package manager, where that is possible without asking anybody.

import { spawnSync } from "node:child_process";

import { chromiumPath } from "../tests/browser/executable.mjs";

const MANAGERS = [
  { name: "apt-get", steps: [["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", "chromium"]] },
  { name: "dnf", steps: [["install", "-y", "chromium"]] },
  { name: "pacman", steps: [["-S", "--noconfirm", "--needed", "chromium"]] },
  { name: "apk", steps: [["add", "chromium"]] },
  { name: "zypper", steps: [["--non-interactive", "install", "chromium"]] },
];

/** Where nobody installs a browser without being asked. */
const BY_HAND = { darwin: "brew install --cask chromium", win32: "winget install Google.Chrome" };

/** Installs it, or says in one line what to install. */
export function installChromium() {
  const manager = MANAGERS.find(({ name }) => succeeds(name, ["--version"]));
  const prefix = isRoot() ? [] : ["sudo", "-n"];
  const may = prefix.length === 0 || succeeds("sudo", ["-n", "true"]);
  const installed = manager !== undefined && may && manager.steps.every((step) => run([...prefix, manager.name, ...step]));
  // Some distributions have a package of that name without a browser in it.
  if (installed && chromiumPath() !== undefined) return;
  const command = BY_HAND[process.platform] ?? (manager && `sudo ${manager.name} ${manager.steps.at(-1).join(" ")}`);
  const how = command === undefined ? "" : `, say by \`${command}\``;
  console.error(`set-up: the tests in browsers need Chromium or Chrome: install one${how}, or name one by the environment variable CHROMIUM`);
}

const isRoot = () => process.getuid?.() === 0;

const succeeds = (command, args) => spawnSync(command, args, { stdio: "ignore" }).status === 0;

function run([command, ...args]) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"], env }).status === 0;
}
