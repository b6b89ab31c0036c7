// The kinds of authorization server the tests run against, as data.
//
// A personality says how the server treats refresh tokens. What is to happen to single requests is a fault (`faults.mjs`);
// a personality may begin with some.

import { dropAfter, dropBefore } from "./faults.mjs";

/** Rotates, and ends the whole session when it sees a refresh token twice (RFC 9700 section 4.14.2). */
export const strict = Object.freeze({
  name: "strict",
  rotates: true,
  /** For how long the previous refresh token is accepted again, in seconds. */
  graceSeconds: 0,
  /** How long a request waits before it is looked at, in milliseconds. */
  latency: 0,
  /** How long each access to the server's own database takes: two requests at once both pass the reuse check. */
  storageLatency: 0,
  /** What happens to the first requests to the token endpoint. */
  faults: Object.freeze([]),
  /** Is there a second endpoint, where a refresh token is rotated by a token of its own? */
  renews: false,
});

const like = (name, differences) => Object.freeze({ ...strict, name, ...differences });

/** Accepts the previous token again for a while, and then answers with yet another successor. */
export const grace = like("grace", { graceSeconds: 60 });

/** Takes its time, so that requests overlap. */
export const slow = like("slow", { latency: 120, storageLatency: 5 });

/** The first request never reaches the server's books. */
export const lostBeforeRotation = like("lost before rotation", { faults: [dropBefore()] });

/** The first request rotates, but its reply is lost on the way. */
export const lostAfterRotation = like("lost after rotation", { faults: [dropAfter()] });

/** The same loss, on a server that accepts the previous token again. */
export const graceAndLostAfterRotation = like("grace, lost after rotation", { graceSeconds: 60, faults: [dropAfter()] });

/** Answers every refresh with a new access token and the same refresh token. */
export const nonRotating = like("non-rotating", { rotates: false });

/** The same, and the refresh token is rotated at an endpoint of its own. */
export const renewing = like("renewing", { rotates: false, renews: true });

export const personalities = Object.freeze([
  strict,
  grace,
  slow,
  lostBeforeRotation,
  lostAfterRotation,
  graceAndLostAfterRotation,
  nonRotating,
]);
