// One half of the demo: a strict authorization server of its own, the session that is signed in there, and what the buttons
// can do to both.
//
// The two halves share nothing, so that neither can disturb the other.

import { cutOff, delay, unavailable, untilHungUp } from "../../tests/authorization-server/faults.mjs";
import * as personalities from "../../tests/authorization-server/personalities.mjs";
import { PUBLIC_CLIENT, startAuthorizationServer } from "../../tests/authorization-server/provider.mjs";

/** As strict as they come, and as far away as a data centre is: no request is answered sooner, in milliseconds. */
const PERSONALITY = { ...personalities.strict, latency: 100 };
/** How long the slow server takes, in milliseconds: less than any client waits. */
const SLOW = 3000;
/** A page may read this refusal, and when to come again. */
const readable = { "access-control-allow-origin": "*", "access-control-expose-headers": "retry-after" };
const told = ["presentation", "granted", "refused", "rotation", "reuse", "revocation"];

/** `publish(event)` gets what the server tells of itself, each time with the counts of the present session. */
export async function startHalf(name, publish) {
  const server = await startAuthorizationServer(PERSONALITY);
  const { oracle } = server;
  /** Access tokens the API refuses from now on. */
  const expired = new Set();
  let session;
  let presentedBefore = 0;
  let endedByServer = false;

  const state = async () => ({
    ...oracle.counts(session),
    presentations: oracle.presentations - presentedBefore,
    alive: session !== undefined && (await server.hasSession(session)),
    endedByServer,
  });
  for (const type of told) {
    oracle.on(type, async (event) => publish({ half: name, type, detail: event?.detail, state: await state() }));
  }

  const actions = {
    async "sign-in"() {
      const signedIn = await server.signIn();
      session = signedIn.session;
      presentedBefore = oracle.presentations;
      endedByServer = false;
      server.heal();
      return signedIn.tokens;
    },
    expire: () => oracle.issued.forEach((token) => expired.add(token)),
    slow: () => server.next(1, delay(SLOW)),
    unavailable: () => server.next(2, unavailable({ "retry-after": "1", ...readable })),
    drop: () => server.next(1, cutOff()),
    hold: () => server.next(1, untilHungUp(() => publish({ half: name, type: "held" }))),
    async revoke() {
      endedByServer = true;
      await server.endSession(session);
    },
    state,
  };

  return {
    name,
    /** What a client must know. */
    client: { clientId: PUBLIC_CLIENT, tokenEndpoint: server.tokenEndpoint, revocationEndpoint: server.revocationEndpoint },
    actions,
    isGood: async (accessToken) => !expired.has(accessToken) && (await server.isActive(accessToken)),
    close: () => server.close(),
  };
}
