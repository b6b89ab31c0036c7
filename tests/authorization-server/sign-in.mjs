// A session without a browser: what an authorization server stores at the end of a sign-in, and the token response
// the client would have had.

import { randomUUID } from "node:crypto";

export async function signIn(provider, { clientId, accountId = `user-${randomUUID()}`, scope = "openid offline_access" }) {
  const client = await provider.Client.find(clientId);
  const grant = new provider.Grant({ accountId, clientId });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  const common = { accountId, client, grantId, gty: "authorization_code", scope };
  const refreshToken = await new provider.RefreshToken(common).save();
  const access = new provider.AccessToken(common);
  const accessToken = await access.save();
  return {
    /** Names the session in the oracle. */
    session: grantId,
    tokens: {
      access_token: accessToken,
      expires_in: access.expiration,
      refresh_token: refreshToken,
      scope,
      token_type: "Bearer",
    },
  };
}
