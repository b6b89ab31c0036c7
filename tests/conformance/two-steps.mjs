// A coordinator for a server whose refresh does not consume the token, and whose rotation is a call of its own with a token of its
// own. The session's one credential is the pair of both; `revokeReplaced` queues the old pair once the new one is stored.

import { TransientError } from "refresh-coordinator";

import { renewing } from "../authorization-server/personalities.mjs";
import { PUBLIC_CLIENT } from "../authorization-server/provider.mjs";
import { Clock } from "../node/clock.mjs";
import { authorizationServer, coordinator } from "../node/scene.mjs";

export const pack = ({ refreshToken, revokeToken }) => `${refreshToken}.${revokeToken}`;
export const unpack = (pair) => ({ refreshToken: pair.split(".")[0], revokeToken: pair.split(".")[1] });

const json = (body, signal) => ({ method: "POST", body: JSON.stringify(body), signal });

/** The exchange: a refresh, or with the parameter `step` a rotation. `seen` lists what it was given. */
export function exchange(server, seen = []) {
  async function refresh({ refreshToken }, signal) {
    const form = { grant_type: "refresh_token", client_id: PUBLIC_CLIENT, refresh_token: refreshToken };
    const reply = await fetch(server.tokenEndpoint, { method: "POST", body: new URLSearchParams(form), signal });
    if (!reply.ok) return reply;
    // The server repeats the refresh token; the credential here is the pair, and stays as it is.
    const { refresh_token: _unchanged, ...tokens } = await reply.json();
    return tokens;
  }

  /** A rotation that fails costs nothing, so it never ends the session. */
  async function rotate({ revokeToken }, { signal, deadline }) {
    const reply = await fetch(server.renewalEndpoint, json({ revokeToken }, signal));
    if (!reply.ok) throw new TransientError("the rotation failed", { status: reply.status });
    const pair = await reply.json();
    if (pair.refreshToken === undefined) throw new TransientError("the rotation brought no tokens");
    return { ...(pair.refreshToken && pair.revokeToken && { refreshToken: pack(pair) }), expiresAt: deadline };
  }

  return (request) => {
    seen.push(request);
    const pair = unpack(request.refreshToken);
    return request.params.step === "rotate" ? rotate(pair, request) : refresh(pair, request.signal);
  };
}

/** The queue speaks RFC 7009; this server wants the revoke token of the pair instead. */
export const revocation = (server) => ({
  revokeReplaced: true,
  revocationEndpoint: server.pairRevocationEndpoint,
  fetch: (url, { body, signal }) => fetch(url, json(unpack(new URLSearchParams(String(body)).get("token")), signal)),
});

/** The second step. */
export const rotate = (auth) => auth.refresh({ mintedAfterNow: true, params: { step: "rotate" } });

/** What the controller does: refresh, and when that is stored rotate; a rotation that fails is told, and no more. */
export async function refreshAndRotate(auth, told = () => {}) {
  await auth.refresh();
  await rotate(auth).catch(told);
  return auth.getTokens();
}

/** Everything, signed in. */
export async function twoSteps(t, options = {}) {
  const server = await authorizationServer(t, renewing);
  const [clock, seen] = [new Clock(), []];
  const own = { name: "app", retries: 0, clock, refresh: exchange(server, seen), ...revocation(server), ...options };
  const auth = coordinator(t, server, { tokenEndpoint: undefined, ...own });
  const { tokens, session } = await server.signIn();
  const pair = server.pairs.pairOf(tokens.refresh_token);
  await auth.setTokens({ ...tokens, refresh_token: pack(pair) });
  return { server, clock, seen, auth, pair, session, own };
}
