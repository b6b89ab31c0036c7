// Where the programs are that the tests start: browsers, databases, a keyring. Plain Node: the set-up asks before anything is installed.

import { accessSync, constants, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** What the tests start, by the environment variable that names another one: what it is, its names, and places that are not on the path. */
const PROGRAMS = {
  CHROMIUM: {
    title: "Chromium",
    names: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    places: [
      "/Applications/Chromium.app/Contents/MacOS/Chromium",
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
      "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
    ],
  },
  FIREFOX: {
    title: "Firefox",
    names: ["firefox-esr", "firefox"],
    places: ["/Applications/Firefox.app/Contents/MacOS/firefox", "C:\\Program Files\\Mozilla Firefox\\firefox.exe"],
  },
  WEBKIT_DRIVER: { title: "WebKitGTK's driver", names: ["WebKitWebDriver"], places: [] },
  XVFB: { title: "Xvfb", names: ["Xvfb"], places: [] },
  DBUS_DAEMON: { title: "D-Bus", names: ["dbus-daemon"], places: [] },
  GNOME_KEYRING: { title: "GNOME's keyring", names: ["gnome-keyring-daemon"], places: [] },
  REDIS_SERVER: { title: "Redis", names: ["redis-server", "valkey-server"], places: [] },
  MARIADB: { title: "MariaDB", names: ["mariadbd", "mysqld"], places: ["/usr/sbin/mariadbd", "/usr/libexec/mariadbd"] },
  POSTGRES: { title: "Postgres", names: ["postgres"], places: versionsOf("/usr/lib/postgresql", "bin/postgres") },
};

/** A program as it is installed, or as the environment variable `variable` names it. `undefined` if there is none. */
export function installed(variable) {
  if (process.env[variable]) return process.env[variable];
  const { names, places } = PROGRAMS[variable];
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...folders.flatMap((folder) => names.map((name) => join(folder, name))), ...places].find(isExecutable);
}

/** The same for tests, which fail without it. */
export function required(variable) {
  const path = installed(variable);
  if (path !== undefined) return path;
  throw new Error(`${PROGRAMS[variable].title} was not found: install it, or name it by the environment variable ${variable}`);
}

export const chromiumPath = () => installed("CHROMIUM");

/** Debian keeps the versions of a program beside each other, and none of them on the path. */
function versionsOf(folder, program) {
  try {
    return readdirSync(folder).sort((one, other) => other - one).map((version) => join(folder, version, program));
  } catch {
    return [];
  }
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
