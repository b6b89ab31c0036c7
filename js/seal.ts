/**
 * Sealing what lies in a store: AES-GCM (NIST SP 800-38D) under a key derived from a secret (HKDF-SHA-256, RFC 5869).
 *
 * Must not know what the secret is: the option `sealKey`, or the token that a caller presented.
 */

import { webCrypto } from "./web-crypto.js";

/** Separates these keys from any others derived from the same secret. */
const DOMAIN = "refresh-coordinator/seal/1";
/** 96 bits, as the standard recommends. A key is used a handful of times, so random ones do not meet. */
const NONCE_BYTES = 12;

/**
 * Encrypts a text.
 *
 * @param secret with at least 128 bits of entropy: it is not stretched
 * @param context is authenticated beside the text, and must be the same for `open`
 * @returns base64url of nonce and ciphertext
 */
export async function seal(secret: string, context: string, text: string): Promise<string> {
  const crypto = await webCrypto();
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const key = await derive(crypto, secret);
  const sealed = await crypto.subtle.encrypt(parameters(nonce, context), key, new TextEncoder().encode(text));
  const bytes = new Uint8Array(NONCE_BYTES + sealed.byteLength);
  bytes.set(nonce);
  bytes.set(new Uint8Array(sealed), NONCE_BYTES);
  return toBase64Url(bytes);
}

/** Decrypts what `seal` returned. Rejects if the secret, the context or the text is another one. */
export async function open(secret: string, context: string, sealed: string): Promise<string> {
  const crypto = await webCrypto();
  const bytes = fromBase64Url(sealed);
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const key = await derive(crypto, secret);
  const text = await crypto.subtle.decrypt(parameters(nonce, context), key, bytes.subarray(NONCE_BYTES));
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text);
}

function parameters(nonce: Uint8Array<ArrayBuffer>, context: string): AesGcmParams {
  return { name: "AES-GCM", iv: nonce, additionalData: new TextEncoder().encode(context) };
}

async function derive(crypto: Crypto, secret: string): Promise<CryptoKey> {
  const encoder = new TextEncoder();
  const material = await crypto.subtle.importKey("raw", encoder.encode(secret), "HKDF", false, ["deriveKey"]);
  const hkdf = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode(DOMAIN) };
  return crypto.subtle.deriveKey(hkdf, material, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

function toBase64Url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}
