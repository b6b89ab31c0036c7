/** WebCrypto: the host's own, or, in Node 18, where it is no global yet, that of Node's module. */

let found: Crypto | undefined = (globalThis as { crypto?: Crypto }).crypto;

/** Is asked for under a name that no bundler follows: elsewhere the module does not exist, and is not needed. */
const MODULE = "node:crypto";
const inNode = typeof (globalThis as { process?: { versions?: { node?: unknown } } }).process?.versions?.node === "string";
const loading: Promise<void> =
  found === undefined && inNode
    ? import(/* webpackIgnore: true */ /* @vite-ignore */ MODULE).then((module: { webcrypto: Crypto }) => void (found = module.webcrypto))
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
