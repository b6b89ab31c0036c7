// What has to hold, as data: the behaviours that three open-source systems test in their own token refresh, in our words, and
// those that none of them tests. The systems: MetaMask (`@metamask/seedless-onboarding-controller` and the mobile app behind it),
// Immutable (`@imtbl/auth-next-server`, its client half and its browser class), Clerk (the credential store of its command-line tool).
//
// A row is `[id, kind, title, reason?]`. A row of kind A may be left out of the tests, for the reason given. "Here" in a title
// marks where this package decides differently on purpose.

import clerk from "./rows/clerk.mjs";
import immutable from "./rows/immutable.mjs";
import metamaskController from "./rows/metamask-controller.mjs";
import metamaskMobile from "./rows/metamask-mobile.mjs";
import ours from "./rows/ours.mjs";

/** What the letters mean. */
export const kinds = {
  K: "one request for many callers",
  C: "what a failure is called",
  S: "what is stored, and in which order",
  R: "revocation",
  E: "expiry",
  W: "an operation is run again",
  A: "a detail of the system's own",
};

const table = (title, rows) => ({ title, rows: rows.map(([id, kind, title, reason]) => ({ id, kind, title, reason })) });

export const tables = [
  table("MetaMask, seedless onboarding controller", metamaskController),
  table("MetaMask, mobile app", metamaskMobile),
  table("Immutable", immutable),
  table("Clerk, command-line tool", clerk),
  table("Tested by none of them", ours),
];
