// Nothing here takes this long: what does, hangs.

/** Milliseconds. */
export const PATIENCE = 300_000;

/** What the operation resolves with. Rejects if it hangs. */
export async function patiently(operation) {
  let timer;
  const hangs = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it hangs: nothing came of it in ${PATIENCE / 1000} s`)), PATIENCE);
  });
  try {
    return await Promise.race([operation(), hangs]);
  } finally {
    clearTimeout(timer);
  }
}
