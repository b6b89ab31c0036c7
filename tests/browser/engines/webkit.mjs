// Stock WebKitGTK, driven by its own WebDriver on a screen that nobody sees.

import { spawn } from "node:child_process";
import { once } from "node:events";

import { freePort } from "../../free-port.mjs";
import { required } from "../../programs.mjs";
import { descendants } from "./processes.mjs";
import { WebDriver } from "./webdriver.mjs";

export const webkit = {
  name: "WebKitGTK",
  // After a kill the other tabs live on, but the driver gives up its session at the next command.
  can: { kill: true, goOnAfterKill: false, freeze: false, offline: false },
  restingWorker: "kept",
  launch,
};

async function launch() {
  const screen = start(required("XVFB"), ["-displayfd", "3", "-screen", "0", "1024x768x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const [display] = await once(screen.stdio[3], "data");
  const port = await freePort();
  const driver = start(required("WEBKIT_DRIVER"), ["--host=127.0.0.1", `--port=${port}`], {
    env: { ...process.env, DISPLAY: `:${String(display).trim()}`, WEBKIT_DISABLE_COMPOSITING_MODE: "1" },
    stdio: "ignore",
  });
  await listens(port, driver);
  // Pages say themselves when they are there.
  const session = await WebDriver.begin(`http://127.0.0.1:${port}`, { pageLoadStrategy: "none" });
  // The browser comes with a tab. It stays: commands need a window, and the browser would end with its last one.
  const first = await session.run(["GET", "/window"]);
  let spent = false;
  return {
    async open(url) {
      const { handle } = await session.runIn(first, ["POST", "/window/new", { type: "tab" }]);
      const driven = tab(session, handle);
      await driven.navigate(url);
      return driven;
    },
    processes: async () => descendants(driver.pid),
    killed: () => (spent = true),
    isSpent: () => spent,
    async close() {
      // Of a killed tab's session there may be nothing left to end.
      await session.end().catch(() => {});
      await ended(driver);
      await ended(screen);
    },
  };
}

const tab = (session, window) => ({
  navigate: (url) => session.runIn(window, ["POST", "/url", { url }]),
  reload: () => session.runIn(window, ["POST", "/refresh"]),
  back: () => session.runIn(window, ["POST", "/back"]),
  close: () => session.runIn(window, ["DELETE", "/window"]),
});

/** Starts a program that ends with this process at the latest, also when a test runner loses its patience. */
function start(path, args, options) {
  const child = spawn(path, args, options);
  const end = () => child.kill();
  const stop = () => process.exit(143);
  process.once("exit", end).once("SIGTERM", stop);
  child.once("exit", () => process.off("exit", end).off("SIGTERM", stop));
  return child;
}

async function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill();
  await exit;
}

/** The driver does not say when it listens. */
async function listens(port, driver) {
  while (driver.exitCode === null) {
    const up = await fetch(`http://127.0.0.1:${port}/status`).catch(() => undefined);
    if (up?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`WebKitGTK's driver ended with ${driver.exitCode}`);
}
