// A real authorization server on a port of its own: oidc-provider with a personality, faults and an oracle.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { deviceClient, deviceFlow, devicePages } from "./device-flow.mjs";
import { FaultQueue, Hold } from "./faults.mjs";
import { interaction, interactions } from "./interaction.mjs";
import { listen } from "./listen.mjs";
import { Oracle } from "./oracle.mjs";
import { strict } from "./personalities.mjs";
import { renewal } from "./renewal.mjs";
import { Provider } from "./runtime.mjs";
import { signIn } from "./sign-in.mjs";
import { storage } from "./storage.mjs";

/** A public client, as a page or a command-line tool is. */
export const PUBLIC_CLIENT = "web";
/**
 * A confidential one, with a secret that needs encoding in HTTP Basic (RFC 6749 section 2.3.1). Its users come back to
 * `/api/auth/callback/issuer`, as next-auth has it for a provider with the id `issuer`, at any port of this machine.
 */
export const CONFIDENTIAL_CLIENT = "backend";
export const CLIENT_SECRET = "a secret: 100% & /more+or=less/";

const HOUR = 3600;
const YEAR = 365 * 24 * HOUR;

/**
 * Starts a server. `accessTokenLifetime` is in seconds, or a function that returns them.
 */
export async function startAuthorizationServer(personality = strict, { accessTokenLifetime = 300 } = {}) {
  // However slow the machine is, a client finds its connection still open when it comes back.
  const http = createServer({ keepAliveTimeout: 60_000 });
  const { origin: issuer, close } = await listen(http);
  const provider = new Provider(issuer, configuration(personality, accessTokenLifetime));
  const oracle = new Oracle();
  oracle.watch(provider);

  const paths = { token: "/token", revocation: "/token/revocation", renewal: "/renewal", pairRevocation: "/renewal/revocation" };
  const queues = Object.fromEntries(Object.keys(paths).map((name) => [name, new FaultQueue()]));
  queues.token = new FaultQueue(personality.faults);
  const holds = new Set();
  provider.use(async (context, next) => {
    const endpoint = Object.keys(paths).find((name) => paths[name] === context.path);
    if (endpoint === "token") oracle.presented();
    if (personality.latency > 0) await sleep(personality.latency);
    const fault = queues[endpoint]?.take();
    const serve = async () => {
      await next();
      if (endpoint === "revocation") oracle.revocationAsked(context.oidc.params?.token);
    };
    await (fault ? fault(context, serve) : serve());
  });
  const pairs = renewal(provider, paths);
  if (personality.renews) provider.use(pairs.middleware);
  provider.use(deviceFlow);
  provider.use(interaction(provider));
  http.on("request", provider.callback());

  const next = (times, fault, endpoint = "token") => queues[endpoint].add(times, fault);
  const hold = (place, endpoint) => {
    const held = new Hold();
    holds.add(held);
    next(1, held[place](), endpoint);
    return held;
  };

  return {
    issuer,
    oracle,
    tokenEndpoint: issuer + paths.token,
    revocationEndpoint: issuer + paths.revocation,
    /** Of a server that renews: the pairs of refresh and revoke token, and where they are renewed and revoked. */
    pairs,
    renewalEndpoint: issuer + paths.renewal,
    pairRevocationEndpoint: issuer + paths.pairRevocation,

    /** The next so many requests meet this fault; `Infinity` is until further notice. */
    next,
    /** Nothing more happens to requests. */
    heal: () => Object.values(queues).forEach((queue) => queue.clear()),
    /** The next request waits before the server looks at it. */
    holdRequest: (endpoint) => hold("before", endpoint),
    /** The server does its work for the next request, and its reply waits. */
    holdReply: (endpoint) => hold("after", endpoint),

    signIn: (how) => signIn(provider, { clientId: PUBLIC_CLIENT, ...how }),
    /** Would a refresh with it succeed? Asking changes nothing. */
    async isAlive(refreshToken) {
      const token = await provider.RefreshToken.find(refreshToken);
      return token !== undefined && !token.consumed && (await provider.Grant.find(token.grantId)) !== undefined;
    },
    /** Does the session live, whoever holds its token? */
    hasSession: async (session) => (await provider.Grant.find(session)) !== undefined,
    /** The session that an access token is of, if the server knows the token. */
    sessionOf: async (accessToken) => (await provider.AccessToken.find(accessToken))?.grantId,
    /** Would a resource server accept it? */
    async isActive(accessToken) {
      const token = await provider.AccessToken.find(accessToken);
      return token !== undefined && (await provider.Grant.find(token.grantId)) !== undefined;
    },
    /** Ends the session of its own accord, as an administrator would: nobody asked for it over the network. */
    async endSession(session) {
      for (const model of ["RefreshToken", "AccessToken"]) await provider[model].revokeByGrantId(session);
      await (await provider.Grant.find(session))?.destroy();
    },

    async close() {
      for (const held of holds) held.release();
      await close();
    },
  };
}

function configuration(personality, accessTokenLifetime) {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const client = (client_id, more) => ({
    client_id,
    grant_types: ["authorization_code", "refresh_token"],
    id_token_signed_response_alg: "ES256",
    redirect_uris: ["https://client.invalid/callback"],
    response_types: ["code"],
    ...more,
  });
  return {
    adapter: storage(personality),
    clients: [
      client(PUBLIC_CLIENT, { token_endpoint_auth_method: "none" }),
      client(CONFIDENTIAL_CLIENT, {
        // On the loopback interface any port will do for one of these (RFC 8252 section 7.3).
        application_type: "native",
        client_secret: CLIENT_SECRET,
        redirect_uris: ["http://localhost/api/auth/callback/issuer"],
        token_endpoint_auth_method: "client_secret_basic",
      }),
      client(undefined, deviceClient),
    ],
    // Pages of every origin may call it.
    clientBasedCORS: () => true,
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true, ...devicePages },
      revocation: { enabled: true, allowedPolicy: ownTokensOnly },
    },
    interactions,
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    jwks: { keys: [privateKey.export({ format: "jwk" })] },
    rotateRefreshToken: personality.rotates,
    ttl: {
      AccessToken: accessTokenLifetime,
      DeviceCode: HOUR,
      Grant: YEAR,
      IdToken: accessTokenLifetime,
      Interaction: HOUR,
      RefreshToken: YEAR,
      Session: YEAR,
    },
  };
}

/** A client revokes its own tokens only (RFC 7009 section 2.1). */
function ownTokensOnly(_context, client, token) {
  return token.clientId === client.clientId;
}
