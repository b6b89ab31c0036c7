// Says whether the kernel has a lock for a credential file here, and if not, why.

import { writeSync } from "node:fs";
import process from "node:process";

import { fileStore } from "refresh-coordinator/stores/file";

const { path } = JSON.parse(process.argv[2]);
const answer = await fileStore(path)
  .locks.request("here", { ifAvailable: true }, (lock) => ({ has: lock !== null }))
  .catch((error) => ({ has: false, why: error.message }));
writeSync(1, `${JSON.stringify(answer)}\n`);
