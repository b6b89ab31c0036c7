// Your issuer's, and your API's. A test names others in the environment.
const { env } = process;

export const clientId = env.APP_CLIENT_ID ?? "app";
export const issuer = env.APP_ISSUER ?? "https://issuer.example";
export const tokenEndpoint = env.APP_TOKEN_ENDPOINT ?? `${issuer}/token`;
export const revocationEndpoint = env.APP_REVOCATION_ENDPOINT ?? `${issuer}/revoke`;
export const api = env.APP_API ?? "https://api.example";
/** Without `offline_access` most servers give no refresh token. */
export const scope = "openid offline_access";
