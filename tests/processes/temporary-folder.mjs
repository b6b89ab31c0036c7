// A folder that is gone when the test is over.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export async function temporaryFolder(t, name) {
  const folder = await mkdtemp(join(tmpdir(), `refresh-coordinator-${name}-`));
  // Somebody may be writing his last.
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  return folder;
}
