// Installs the browsers and databases of the tests by the system's package manager, where that is possible without asking anybody.

import { spawnSync } from "node:child_process";

import { installed } from "../tests/programs.mjs";

/** Each program, what it needs (by the environment variables that name another one), and what that is called elsewhere. */
const PROGRAMS = [
  {
    title: "Chromium",
    wantedBy: "the tests in browsers",
    needs: ["CHROMIUM"],
    packages: { "apt-get": ["chromium"], dnf: ["chromium"], pacman: ["chromium"], apk: ["chromium"], zypper: ["chromium"] },
    byHand: { darwin: "brew install --cask chromium", win32: "winget install Google.Chrome" },
  },
  {
    title: "Firefox",
    wantedBy: "the tests in browsers",
    needs: ["FIREFOX"],
    packages: { "apt-get": ["firefox-esr"], dnf: ["firefox"], pacman: ["firefox"], apk: ["firefox-esr"], zypper: ["MozillaFirefox"] },
    byHand: { darwin: "brew install --cask firefox", win32: "winget install Mozilla.Firefox" },
  },
  {
    title: "WebKitGTK",
    wantedBy: "the tests in browsers",
    needs: ["WEBKIT_DRIVER", "XVFB"],
    packages: { "apt-get": ["webkit2gtk-driver", "xvfb"] },
    byHand: {},
  },
  {
    title: "Redis",
    wantedBy: "the tests of clusters and stores",
    needs: ["REDIS_SERVER"],
    packages: { "apt-get": ["redis-server"], dnf: ["valkey"], pacman: ["valkey"], apk: ["valkey"], zypper: ["redis"] },
    byHand: { darwin: "brew install redis" },
  },
  {
    title: "Postgres",
    wantedBy: "the tests of stores",
    needs: ["POSTGRES"],
    packages: { "apt-get": ["postgresql"], dnf: ["postgresql-server"], pacman: ["postgresql"], apk: ["postgresql"], zypper: ["postgresql-server"] },
    byHand: { darwin: "brew install postgresql" },
  },
  {
    title: "MariaDB",
    wantedBy: "the tests of stores",
    needs: ["MARIADB"],
    packages: { "apt-get": ["mariadb-server"], dnf: ["mariadb-server"], pacman: ["mariadb"], apk: ["mariadb"], zypper: ["mariadb"] },
    byHand: { darwin: "brew install mariadb" },
  },
];

const MANAGERS = [
  { name: "apt-get", refresh: ["update", "-q"], install: ["install", "-y", "-q", "--no-install-recommends"] },
  { name: "dnf", install: ["install", "-y"] },
  { name: "pacman", install: ["-S", "--noconfirm", "--needed"] },
  { name: "apk", install: ["add"] },
  { name: "zypper", install: ["--non-interactive", "install"] },
];

/** Asks nothing; and in Debian, at this level, a database is not started as soon as it is installed. */
const QUIETLY = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"];

/** What the programs are wanted by. */
export const [BROWSERS, CLUSTERS, STORES] = ["the tests in browsers", "the tests of clusters and stores", "the tests of stores"];

/** Those that are wanted by one of these, and of which something is missing. */
export const missingPrograms = (wanted) => PROGRAMS.filter(({ wantedBy }) => wanted.includes(wantedBy)).filter(isMissing);

/** Installs what is missing, and says in one line for each program what could not be installed. */
export function installPrograms(wanted) {
  const manager = MANAGERS.find(({ name }) => succeeds(name, ["--version"]));
  const prefix = isRoot() ? QUIETLY : ["sudo", "-n", ...QUIETLY];
  const may = isRoot() || succeeds("sudo", ["-n", "true"]);
  if (manager !== undefined && may) {
    const manage = (step) => run([...prefix, manager.name, ...step]);
    if (manager.refresh) manage(manager.refresh);
    // One by one: a package that is not there keeps no other one from being installed.
    for (const { packages } of missingPrograms(wanted)) if (packages[manager.name]) manage([...manager.install, ...packages[manager.name]]);
  }
  // Some distributions have a package of that name without the program in it.
  for (const program of missingPrograms(wanted)) tell(program, manager);
}

function tell({ title, wantedBy, needs, packages, byHand }, manager) {
  const known = manager && packages[manager.name];
  const command = byHand[process.platform] ?? (known && `sudo ${manager.name} ${[...manager.install, ...known].join(" ")}`);
  const how = command === undefined ? "" : `, say by \`${command}\``;
  const names = needs.length === 1 ? `the environment variable ${needs[0]}` : `the environment variables ${needs.join(" and ")}`;
  console.error(`set-up: ${wantedBy} need ${title}: install it${how}, or name it by ${names}`);
}

function isMissing({ needs }) {
  return needs.some((variable) => installed(variable) === undefined);
}

const isRoot = () => process.getuid?.() === 0;

const succeeds = (command, args) => spawnSync(command, args, { stdio: "ignore" }).status === 0;

function run([command, ...args]) {
  return spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"] }).status === 0;
}
