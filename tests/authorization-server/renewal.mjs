// Rotation as a step of its own: a refresh token comes with a revoke token. Who presents the revoke token to the renewal endpoint
// gets another pair, and the old one lives on until it is revoked by its own revoke token.

import { randomBytes } from "node:crypto";

export function renewal(provider, paths) {
  /** Refresh tokens by revoke token. */
  const pairs = new Map();
  /** The revoke tokens that were presented, in order, to either endpoint. */
  const asked = { renewal: [], pairRevocation: [] };

  const pairOf = (refreshToken) => {
    const revokeToken = randomBytes(32).toString("base64url");
    pairs.set(revokeToken, refreshToken);
    return { refreshToken, revokeToken };
  };

  const endpoints = {
    async renewal(context, revokeToken) {
      const old = await provider.RefreshToken.find(pairs.get(revokeToken));
      if (!old) return (context.status = 401);
      const { accountId, clientId, grantId, gty, scope } = old;
      const client = await provider.Client.find(clientId);
      context.body = pairOf(await new provider.RefreshToken({ accountId, client, grantId, gty, scope }).save());
    },
    async pairRevocation(context, revokeToken) {
      const old = await provider.RefreshToken.find(pairs.get(revokeToken));
      if (!old) return (context.status = 404);
      await old.destroy();
      pairs.delete(revokeToken);
      context.status = 200;
    },
  };

  return {
    asked,
    pairOf,
    middleware: async (context, next) => {
      const endpoint = Object.keys(endpoints).find((name) => paths[name] === context.path);
      if (!endpoint) return next();
      let body = "";
      for await (const chunk of context.req) body += chunk;
      const { revokeToken } = JSON.parse(body);
      asked[endpoint].push(revokeToken);
      await endpoints[endpoint](context, revokeToken);
    },
  };
}
