// Two processes on one file at one expiry: the one asks while the other's request is under way.

import assert from "node:assert/strict";

/** Refreshes in both, while the server holds the request or the reply: `holdRequest`, `holdReply`. One rotation, and the same token. */
export async function refreshesOnce({ server, tokens, session }, [one, other], hold) {
  const held = server[hold]();
  const first = one.auth("refresh");
  await held.arrived;
  const second = other.auth("refresh", { rejected: tokens.access_token });
  await other.event({ type: "waiting" });
  held.release();
  assert.equal((await second).accessToken, (await first).accessToken);
  assert.deepEqual([server.oracle.counts(session).rotations, server.oracle.counts(session).reuses], [1, 0]);
}
