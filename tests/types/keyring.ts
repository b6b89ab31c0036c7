// What `@napi-rs/keyring` has is taken as it is. Compiled by `npm test`, never run: it is not in every project that compiles `usage.ts`.

import { AsyncEntry, Entry } from "@napi-rs/keyring";
import { fileStore } from "refresh-coordinator/stores/file";
import { keyringStore, type KeyringStore } from "refresh-coordinator/stores/keyring";

export function inTheKeyring(): KeyringStore[] {
  const file = fileStore("credentials.json");
  return [
    keyringStore({ service: "cli", file, entry: (service, account) => new AsyncEntry(service, account) }),
    keyringStore({ service: "cli", file, entry: (service, account) => new Entry(service, account) }),
  ];
}
