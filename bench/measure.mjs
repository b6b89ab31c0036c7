// How long a call takes, in nanoseconds.

/** A token that is fresh, again and again. */
export async function fresh({ getAccessToken }, calls) {
  const started = process.hrtime.bigint();
  for (let call = 0; call < calls; call += 1) await getAccessToken();
  return Number(process.hrtime.bigint() - started) / calls;
}

/** What each further caller of one flight costs: to join it, and to be woken by it. The flight itself is not counted. */
export async function join({ getAccessToken, expire, answer }, callers) {
  expire();
  const first = getAccessToken();
  const joined = new Array(callers);
  let woken = 0;
  const wake = () => (woken += 1);
  const started = process.hrtime.bigint();
  for (let caller = 0; caller < callers; caller += 1) joined[caller] = getAccessToken();
  const asked = process.hrtime.bigint();
  for (const promise of joined) promise.then(wake);
  let landed;
  // The first to be woken, and a last one behind all others, are the marks.
  const marks = [first.then(() => (landed = process.hrtime.bigint())), joined.at(-1).then(() => process.hrtime.bigint())];
  await answer();
  const [, ended] = await Promise.all(marks);
  if (woken !== callers) throw new Error(`${woken} of ${callers} callers were woken`);
  return { join: Number(asked - started) / callers, wake: Number(ended - landed) / callers };
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
