// What is written by hand in the place of this package, to show how it fares: the shape of the official guide, and the same with a
// map of promises in front of it.

/** Refreshes when the access token has ended, whoever else does. */
export function likeTheGuide({ clientId, tokenEndpoint }) {
  return withRefresh((refreshToken) => refreshed(refreshToken, { clientId, tokenEndpoint }));
}

/** The same; who comes while a refresh is under way shares its promise. */
export function withMapOfPromises({ clientId, tokenEndpoint }) {
  const inFlight = new Map();
  return withRefresh((refreshToken) => {
    const known = inFlight.get(refreshToken);
    if (known) return known;
    const promise = refreshed(refreshToken, { clientId, tokenEndpoint }).finally(() => inFlight.delete(refreshToken));
    inFlight.set(refreshToken, promise);
    return promise;
  });
}

function withRefresh(refresh) {
  return async ({ token }) => {
    if (Date.now() < token.expires_at * 1000) return token;
    try {
      return { ...token, ...(await refresh(token.refresh_token)) };
    } catch {
      return { ...token, error: "RefreshTokenError" };
    }
  };
}

async function refreshed(refreshToken, { clientId, tokenEndpoint }) {
  const body = new URLSearchParams({ client_id: clientId, grant_type: "refresh_token", refresh_token: refreshToken });
  const reply = await fetch(tokenEndpoint, { method: "POST", body });
  if (!reply.ok) throw await reply.json();
  const { access_token, refresh_token, expires_in } = await reply.json();
  return { access_token, refresh_token, expires_at: Math.floor(Date.now() / 1000) + expires_in };
}
