// How long a call takes, in nanoseconds.

/** A token that is fresh, again and again. */
export async function fresh({ freshToken }, calls) {
  const started = now();
  for (let call = 0; call < calls; call += 1) await freshToken();
  return Number(now() - started) / calls;
}

/** What each further caller of one flight costs: to join it, and to be woken by it. The flight itself is not counted. */
export async function join({ getAccessToken, expire, answer }, callers) {
  expire();
  // Woken before all others, for it asked before them.
  const landed = getAccessToken().then(now);
  const joined = new Array(callers);
  let woken = 0;
  const wake = () => (woken += 1);
  const started = now();
  for (let caller = 0; caller < callers; caller += 1) joined[caller] = getAccessToken();
  const asked = now();
  for (const promise of joined) promise.then(wake);
  const last = joined.at(-1).then(now);
  await answer();
  const waking = (await last) - (await landed);
  if (woken !== callers) throw new Error(`${woken} of ${callers} callers were woken`);
  return { join: Number(asked - started) / callers, wake: Number(waking) / callers };
}

function now() {
  return process.hrtime.bigint();
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
