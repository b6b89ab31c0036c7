/** WebCrypto: the host's own, or, in Node 18, where it is no global yet, that of Node's module. */

import { importBuiltin, inNode } from "./builtin.js";

let found: Crypto | undefined = (globalThis as { crypto?: Crypto }).crypto;

const loading: Promise<void> =
  found === undefined && inNode
    ? importBuiltin("node:crypto").then((module) => void (found = (module as { webcrypto: Crypto }).webcrypto))
    : Promise.resolve();
// Without it everything else works: who needs it hears that it is missing.
loading.catch(() => {});

/** Can values be sealed on this host? Not in a page that came over http from elsewhere than this machine. */
export function canSeal(): boolean {
  return found?.subtle !== undefined || (found === undefined && inNode);
}

/** WebCrypto, once it is there. */
export async function webCrypto(): Promise<Crypto> {
  await loading;
  if (found?.subtle === undefined) throw new Error("this host has no WebCrypto");
  return found;
}

/** Random bytes. Throws where the host has none to give. */
export function randomBytes(count: number): Uint8Array {
  if (found === undefined) throw new Error("this host has no random numbers yet");
  return found.getRandomValues(new Uint8Array(count));
}
