// A real MariaDB, which speaks the SQL of MySQL.

import { execFile } from "node:child_process";
import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { required } from "../programs.mjs";
import { ServerProcess } from "./server-process.mjs";

/** Starts one that ends with the test. `settings` are further ones of its configuration. */
export async function startMariaDb(t, settings = []) {
  const program = realpathSync(required("MARIADB"));
  // It refuses to run as root unless it is told to.
  const user = process.getuid?.() === 0 ? ["--user=root"] : [];
  const command = (port, folder) => [
    ...[program, "--no-defaults", ...user, `--datadir=${join(folder, "data")}`, `--port=${port}`],
    ...["--bind-address=127.0.0.1", `--socket=${join(folder, "socket")}`, `--pid-file=${join(folder, "pid")}`, ...settings],
  ];
  const server = await ServerProcess.prepare(t, "mariadb", { command, ready: /ready for connections/ });
  const made = ["--no-defaults", `--datadir=${join(server.folder, "data")}`, "--auth-root-authentication-method=normal", ...user];
  const beside = { env: { ...process.env, PATH: `${process.env.PATH}:${dirname(program)}` } };
  await promisify(execFile)("mariadb-install-db", made, beside);
  await server.start();
  // The database that is there from the beginning.
  return Object.assign(server, { url: `mysql://root@127.0.0.1:${server.port}/test` });
}
