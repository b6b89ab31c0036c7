// A real Postgres. It refuses to run as root, who hands it to somebody with fewer rights.

import { execFile } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { required } from "../programs.mjs";
import { ServerProcess } from "./server-process.mjs";

/** Starts one that ends with the test. */
export async function startPostgres(t) {
  const program = realpathSync(required("POSTGRES"));
  const user = process.getuid?.() === 0 ? somebody("postgres", "nobody") : undefined;
  const command = (port, folder) => [
    ...[program, "-D", join(folder, "data"), "-p", String(port)],
    // What is lost when the machine loses its power is not what is tested here.
    ...["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"],
  ];
  const server = await ServerProcess.prepare(t, "postgres", { command, ready: /ready to accept connections/, user });
  const made = ["-D", join(server.folder, "data"), "-U", "tests", "-A", "trust", "--locale=C", "--encoding=UTF8", "--no-sync"];
  await promisify(execFile)(join(dirname(program), "initdb"), made, { ...user, cwd: server.folder });
  await server.start();
  return Object.assign(server, { url: `postgres://tests@127.0.0.1:${server.port}/postgres` });
}

/** The first of these users that there is. */
function somebody(...names) {
  const users = readFileSync("/etc/passwd", "utf8").split("\n").map((line) => line.split(":"));
  const [, , uid, gid] = names.map((name) => users.find(([other]) => other === name)).find(Boolean);
  return { uid: Number(uid), gid: Number(gid) };
}
