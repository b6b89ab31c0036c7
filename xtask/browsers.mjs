// Installs the browsers of the tests by the system's package manager, where that is possible without asking anybody.

import { spawnSync } from "node:child_process";

import { installed } from "../tests/browser/executable.mjs";

/** The browsers, what each one needs (by the environment variables that name another one), and what that is called elsewhere. */
const BROWSERS = [
  {
    title: "Chromium",
    needs: ["CHROMIUM"],
    packages: { "apt-get": ["chromium"], dnf: ["chromium"], pacman: ["chromium"], apk: ["chromium"], zypper: ["chromium"] },
    byHand: { darwin: "brew install --cask chromium", win32: "winget install Google.Chrome" },
  },
  {
    title: "Firefox",
    needs: ["FIREFOX"],
    packages: { "apt-get": ["firefox-esr"], dnf: ["firefox"], pacman: ["firefox"], apk: ["firefox-esr"], zypper: ["MozillaFirefox"] },
    byHand: { darwin: "brew install --cask firefox", win32: "winget install Mozilla.Firefox" },
  },
  {
    title: "WebKitGTK",
    needs: ["WEBKIT_DRIVER", "XVFB"],
    packages: { "apt-get": ["webkit2gtk-driver", "xvfb"] },
    byHand: {},
  },
];

const MANAGERS = [
  { name: "apt-get", refresh: ["update", "-q"], install: ["install", "-y", "-q", "--no-install-recommends"] },
  { name: "dnf", install: ["install", "-y"] },
  { name: "pacman", install: ["-S", "--noconfirm", "--needed"] },
  { name: "apk", install: ["add"] },
  { name: "zypper", install: ["--non-interactive", "install"] },
];

/** Those of which something is missing. */
export const missingBrowsers = () => BROWSERS.filter(isMissing);

/** Installs what is missing, and says in one line for each browser what could not be installed. */
export function installBrowsers() {
  const manager = MANAGERS.find(({ name }) => succeeds(name, ["--version"]));
  const prefix = isRoot() ? [] : ["sudo", "-n"];
  const may = prefix.length === 0 || succeeds("sudo", ["-n", "true"]);
  if (manager !== undefined && may) {
    const manage = (step) => run([...prefix, manager.name, ...step]);
    if (manager.refresh) manage(manager.refresh);
    // One by one: a package that is not there keeps no other one from being installed.
    for (const { packages } of missingBrowsers()) if (packages[manager.name]) manage([...manager.install, ...packages[manager.name]]);
  }
  // Some distributions have a package of that name without a browser in it.
  for (const browser of missingBrowsers()) tell(browser, manager);
}

function tell({ title, needs, packages, byHand }, manager) {
  const known = manager && packages[manager.name];
  const command = byHand[process.platform] ?? (known && `sudo ${manager.name} ${[...manager.install, ...known].join(" ")}`);
  const how = command === undefined ? "" : `, say by \`${command}\``;
  const names = needs.length === 1 ? `the environment variable ${needs[0]}` : `the environment variables ${needs.join(" and ")}`;
  console.error(`set-up: the tests in browsers need ${title}: install it${how}, or name it by ${names}`);
}

function isMissing({ needs }) {
  return needs.some((variable) => installed(variable) === undefined);
}

const isRoot = () => process.getuid?.() === 0;

const succeeds = (command, args) => spawnSync(command, args, { stdio: "ignore" }).status === 0;

function run([command, ...args]) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"], env }).status === 0;
}
