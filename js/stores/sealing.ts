/**
 * Sealing at rest: values are AES-GCM text (NIST SP 800-38D) under a key that the browser keeps beside them and shows to nobody,
 * not even to us.
 *
 * Must not know what the values mean, nor where they and the key are kept.
 */

import { StoreError } from "../errors.js";

/** A value that is sealed. */
export interface Sealed {
  /** The id of the key. */
  readonly by: string;
  readonly nonce: Uint8Array<ArrayBuffer>;
  readonly text: ArrayBuffer;
}

/** The key, as it is kept. */
export interface SealingKey {
  /** Drawn at random: tells one key from another, which nobody can look into. */
  readonly id: string;
  readonly key: CryptoKey;
}

/** 96 bits, as the standard recommends. Random: under one key 2^32 values may be sealed, which takes a tab that never rests. */
const NONCE_BYTES = 12;

/** Separates what is sealed here from all else that could be sealed under such a key. */
const DOMAIN = "refresh-coordinator/at-rest/1/";

/** Makes a key that can be used, stored and cloned, but never read. */
export async function freshKey(id: string): Promise<SealingKey> {
  const key = await subtle().generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  return { id, key };
}

/** Seals the value of an entry. */
export async function seal({ id, key }: SealingKey, entry: string, value: string): Promise<Sealed> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const text = await subtle().encrypt(parameters(nonce, entry), key, new TextEncoder().encode(value));
  return { by: id, nonce, text };
}

/** Opens it. Rejects if the key, the entry or the text is another one. */
export async function open({ key }: SealingKey, entry: string, { nonce, text }: Sealed): Promise<string> {
  const value = await subtle().decrypt(parameters(nonce, entry), key, text);
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
}

function parameters(nonce: Uint8Array<ArrayBuffer>, entry: string): AesGcmParams {
  return { name: "AES-GCM", iv: nonce, additionalData: new TextEncoder().encode(DOMAIN + entry) };
}

function subtle(): SubtleCrypto {
  const { subtle } = globalThis.crypto as Partial<Crypto>;
  if (subtle !== undefined) return subtle;
  const message = "there is no WebCrypto to seal with (`sealed: true`): pages have it only over https and on localhost";
  throw new StoreError(message, { code: "store-unavailable" });
}

/** A value that does not open: the key that sealed it is gone, or somebody has changed it. */
export function unopened(version: string, cause: unknown): StoreError {
  const message = "a sealed value does not open: its key is gone, or it was changed; who signs in replaces it";
  // The version lets a sign-in replace what nobody can read, as conditionally as anything else.
  return Object.assign(new StoreError(message, { code: "store-sealed", cause }), { version });
}
