// A real Redis, or Valkey, that keeps every write.

import { required } from "../programs.mjs";
import { ServerProcess } from "./server-process.mjs";

/** Starts one that ends with the test. `settings` are further ones of its configuration. */
export async function startRedis(t, settings = []) {
  const command = (port, folder) => [
    ...[required("REDIS_SERVER"), "--bind", "127.0.0.1", "--port", String(port), "--dir", folder],
    ...["--appendonly", "yes", "--appendfsync", "always", "--save", "", ...settings],
  ];
  const server = await ServerProcess.prepare(t, "redis", { command, ready: /Ready to accept connections/ });
  await server.start();
  return Object.assign(server, { url: `redis://127.0.0.1:${server.port}` });
}
