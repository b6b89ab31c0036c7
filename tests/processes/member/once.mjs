// A command that ends when it is done: asks for the access token when its input ends, and says what it got.

import { once } from "node:events";
import { writeSync } from "node:fs";
import process from "node:process";

import { RefreshCoordinator } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";

const { path, store, options } = JSON.parse(process.argv[2]);
const auth = new RefreshCoordinator({ ...options, store: fileStore(path, store) });
const say = (line) => writeSync(1, `${JSON.stringify(line)}\n`);
const told = once(process.stdin.resume(), "end");
say({ ready: true });
await told;
try {
  const answer = auth.getAccessToken();
  say({ asked: true });
  say({ token: await answer });
} finally {
  auth.close();
}
