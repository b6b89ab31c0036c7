// What a half says at the end, in words: is the session alive, and if not, why.

/** From the server's own counts. */
export function sessionInWords({ alive, reuses, signOuts, endedByServer }) {
  if (alive) return { text: "signed in", good: true };
  if (endedByServer) return { text: "ended by the server, as it was told to", good: true };
  if (reuses > 0) return { text: "signed out: the server saw a spent refresh token", good: false };
  if (signOuts > 0) return { text: "signed out by the user", good: true };
  return { text: "not signed in", good: false };
}

/** What came of the callers. */
export function callersInWords({ asked, served, presented, told }) {
  const why = told.length > 0 ? ` The others were told: ${told.join("; ")}.` : "";
  return `${served} of ${asked} callers served; refresh token presented ${times(presented)}.${why}`;
}

function times(count) {
  return count === 1 ? "once" : `${count} times`;
}
