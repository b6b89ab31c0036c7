// A real Secret Service: GNOME's keyring on a message bus of its own, with a home of its own. Nothing of the user's is touched.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { required } from "../../programs.mjs";
import { folder } from "../lifecycle/programs.mjs";

const PASSWORD = "a password";

/** No services that start by themselves: a second keyring, or a prompt that nobody sees. */
const busIn = (path) => `<busconfig>
  <type>session</type>
  <listen>unix:dir=${path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>`;

/** A user: a home in which a keyring may be, at which several buses are started one after the other. */
export async function home(t) {
  const path = await folder(t);
  const runtime = join(path, "run");
  await mkdir(runtime, { mode: 0o700 });
  const own = { HOME: path, XDG_RUNTIME_DIR: runtime, XDG_DATA_HOME: join(path, "data"), XDG_CONFIG_HOME: join(path, "config"), XDG_CACHE_HOME: join(path, "cache") };
  // Neither the user's bus nor the user's screen.
  const { DBUS_SESSION_BUS_ADDRESS, DISPLAY, WAYLAND_DISPLAY, ...others } = process.env;
  const without = { ...others, ...own, DBUS_SESSION_BUS_ADDRESS: "disabled:" };

  /** Starts a bus, and on it the keyring: unlocked with this user's password, or locked. */
  async function start({ locked = false } = {}) {
    const config = join(path, "bus.conf");
    await writeFile(config, busIn(runtime));
    const bus = spawn(required("DBUS_DAEMON"), ["--nofork", "--nopidfile", "--print-address=1", `--config-file=${config}`], {
      env: without,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const gone = once(bus, "exit");
    const stop = () => (bus.kill(), gone);
    t.after(stop);
    const address = await new Promise((resolve, reject) => {
      createInterface({ input: bus.stdout }).once("line", resolve);
      gone.then(([code]) => reject(new Error(`the bus ended with ${code}`)));
    });
    const env = { ...without, DBUS_SESSION_BUS_ADDRESS: address };
    // It ends with its bus; and it is there when the command returns.
    const { status, stderr } = spawnSync(required("GNOME_KEYRING"), [locked ? "--start" : "--unlock", "--components=secrets"], {
      env,
      input: locked ? "" : PASSWORD,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`the keyring ended with ${status}: ${stderr}`);
    return { env, stop };
  }

  return { start, without };
}
