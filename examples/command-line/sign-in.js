// A sign-in without a browser on this machine: the user opens a page wherever there is one, and enters a code (RFC 8628).

import * as client from "openid-client";

import { clientId, issuer, scope } from "./settings.js";

/** Resolves with the token response when the user has agreed. `show` is given the page and the code. */
export async function signIn(show, signal) {
  // A server on this machine has no certificate.
  const isHere = /^(127\.0\.0\.1|localhost|\[::1\])$/.test(new URL(issuer).hostname);
  const execute = isHere ? [client.allowInsecureRequests] : [];
  const config = await client.discovery(new URL(issuer), clientId, undefined, client.None(), { execute });
  const asked = await client.initiateDeviceAuthorization(config, { scope });
  show(asked.verification_uri, asked.user_code);
  return client.pollDeviceAuthorizationGrant(config, asked, undefined, { signal });
}
