// What is written by hand in the place of this package, to show how it fares: the shape of the official guide, and the same with a
// map of promises in front of it. The members of the token have the names that ours has, so that one app can do with each.

/** Refreshes when the access token has ended, whoever else does. */
export function likeTheGuide(client) {
  return withRefresh((refreshToken) => refreshed(refreshToken, client));
}

/** The same; who comes while a refresh is under way shares its promise. */
export function withMapOfPromises(client) {
  const inFlight = new Map();
  return withRefresh((refreshToken) => {
    const known = inFlight.get(refreshToken);
    if (known) return known;
    const promise = refreshed(refreshToken, client).finally(() => inFlight.delete(refreshToken));
    inFlight.set(refreshToken, promise);
    return promise;
  });
}

function withRefresh(refresh) {
  return async ({ token }) => {
    if (Date.now() < token.expiresAt) return token;
    try {
      return { ...token, ...(await refresh(token.refreshToken)) };
    } catch {
      return { ...token, error: "RefreshTokenError" };
    }
  };
}

async function refreshed(refreshToken, { clientId, clientSecret, tokenEndpoint }) {
  const body = new URLSearchParams({ client_id: clientId, grant_type: "refresh_token", refresh_token: refreshToken });
  const secret = [clientId, clientSecret].map((part) => encodeURIComponent(part)).join(":");
  const headers = clientSecret === undefined ? {} : { authorization: `Basic ${btoa(secret)}` };
  const reply = await fetch(tokenEndpoint, { method: "POST", headers, body });
  if (!reply.ok) throw await reply.json();
  const { access_token, refresh_token, expires_in } = await reply.json();
  return { accessToken: access_token, refreshToken: refresh_token, expiresAt: Date.now() + expires_in * 1000 };
}
