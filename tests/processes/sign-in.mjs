// Puts a session into a credential file, as a process that ends after it.

import { RefreshCoordinator } from "refresh-coordinator";
import { fileStore } from "refresh-coordinator/stores/file";

export async function signInTo(path, options, tokens, store) {
  const auth = new RefreshCoordinator({ ...options, store: fileStore(path, store) });
  await auth.setTokens(tokens);
  auth.close();
}
