// The callers of one tab: requests to an API, as a page with many parts makes them when it wakes up.
//
// All start at once, with the access token the tab has. Every fourth reply comes at once, the others later and later, up
// to two seconds, as on a slow connection: so some callers hear "401" of the old token when the new one is long there.

/** In milliseconds. */
const SLOWEST = 2000;

export async function call(client, half, count) {
  const calls = Array.from({ length: count }, (_, index) => request(client, `/api/${half}/orders#late=${lateness(index, count)}`));
  const results = await Promise.allSettled(calls);
  const refusals = results.filter(({ status }) => status === "rejected").map(({ reason }) => worded(reason));
  return { asked: count, served: count - refusals.length, told: [...new Set(refusals)] };
}

async function request(client, url) {
  const reply = await client.fetch(url);
  if (!reply.ok) throw new Error(`the API answered ${reply.status}`);
}

function lateness(index, count) {
  return index % 4 === 0 ? 0 : Math.round((SLOWEST * index) / count);
}

function worded({ name, message, reason }) {
  if (name === "Error") return message;
  return reason ? `${name}: ${reason}` : name;
}
