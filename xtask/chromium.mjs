// Installs a Chromium by the system's package manager, where that is possible without asking anybody.

import { spawnSync } from "node:child_process";

const MANAGERS = [
  { name: "apt-get", steps: [["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", "chromium"]] },
  { name: "dnf", steps: [["install", "-y", "chromium"]] },
  { name: "pacman", steps: [["-S", "--noconfirm", "--needed", "chromium"]] },
  { name: "apk", steps: [["add", "chromium"]] },
  { name: "zypper", steps: [["--non-interactive", "install", "chromium"]] },
];

/** Installs it, or says in one line what to install. */
export function installChromium() {
  const manager = MANAGERS.find(({ name }) => succeeds(name, ["--version"]));
  const prefix = isRoot() ? [] : ["sudo", "-n"];
  const may = prefix.length === 0 || succeeds("sudo", ["-n", "true"]);
  if (manager !== undefined && may && manager.steps.every((step) => run([...prefix, manager.name, ...step]))) return;
  const how = manager === undefined ? "" : `, say by \`sudo ${manager.name} ${manager.steps.at(-1).join(" ")}\``;
  console.error(`set-up: the tests in browsers need Chromium or Chrome: install one${how}, or name one by the environment variable CHROMIUM`);
}

const isRoot = () => process.getuid?.() === 0;

const succeeds = (command, args) => spawnSync(command, args, { stdio: "ignore" }).status === 0;

function run([command, ...args]) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"], env }).status === 0;
}
