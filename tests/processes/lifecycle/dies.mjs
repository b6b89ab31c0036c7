// A program that ends between the server's reply and the write of what it brought: by its own will, or by a mistake of its own.

import { RefreshCoordinator } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";

import { settings } from "./said.mjs";

const { path, options, by } = settings;
const file = fileStore(path);
let writes = 0;

function write(...call) {
  writes += 1;
  if (writes === 1) return file.write(...call);
  if (by === "process.exit") process.exit(3);
  // Of somebody else's code, which runs before the disk is reached.
  process.nextTick(() => {
    throw new Error("a mistake elsewhere in the program");
  });
  return new Promise(() => {});
}

new RefreshCoordinator({ ...options, store: { ...file, write } }).getAccessToken();
