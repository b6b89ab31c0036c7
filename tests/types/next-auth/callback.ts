// The callback as Auth.js 5 types it. The applications of `tests/hosts/fixtures` compile it in both versions of next-auth.

import type { AuthConfig, Session } from "@auth/core/types";
import { RefreshCoordinator, type TokenSet } from "refresh-coordinator";
import {
  type FreshJwt,
  type FreshJwtOptions,
  type JwtError,
  type JwtErrorCode,
  freshJwt,
  jwtCallback,
} from "refresh-coordinator/next-auth";

declare module "@auth/core/jwt" {
  interface JWT extends FreshJwt {}
}

const auth = new RefreshCoordinator({ clientId: "web", tokenEndpoint: "https://issuer.example/token" });

type Callbacks = NonNullable<AuthConfig["callbacks"]>;

export const inline: Callbacks = {
  jwt: (params) => freshJwt(auth, params),
  session: ({ session, token }) => told(session, token.accessToken, token.error),
};

export const made: Callbacks = { jwt: jwtCallback(auth) };
export const withOptions: Callbacks = { jwt: jwtCallback(auth, { canPersist: false, update: "minted-after-now", provider: "issuer" }) };

/** The app's own half knows what next-auth gives it, and what this package adds. */
export const withOwnHalf: Callbacks = {
  jwt: jwtCallback(auth, ({ token, refreshed, profile, trigger }) => {
    const set: TokenSet | undefined = refreshed;
    const end: number | undefined = token.expiresAt;
    if (trigger === "signIn" && profile?.email) return { ...token, email: profile.email, end };
    return set?.idToken === undefined ? token : { ...token, id: set.idToken };
  }),
};

/** What it returns is what the callback returns: `null` ends the session. */
export const ending: Callbacks = { jwt: jwtCallback(auth, ({ token }) => (token.error?.code === "revoked" ? null : token)) };

export const chosen: FreshJwtOptions = { update: (data: unknown) => (data === "role" ? "minted-after-now" : "valid") };

/** Every code, so that an app's `switch` is known to be complete. */
export function says(error: JwtError): string {
  const texts: Record<JwtErrorCode, string> = {
    revoked: "sign in",
    "interaction-required": "sign in, with a second factor",
    "no-refresh-token": "sign in",
    transient: `again at ${error.retryAt ?? 0}`,
    configuration: "tell the operator",
  };
  return texts[error.code];
}

function told(session: Session, accessToken: string | undefined, error: JwtError | undefined): Session {
  return Object.assign(session, { accessToken, error });
}

// @ts-expect-error there is no such word
jwtCallback(auth, { update: "now" });
// @ts-expect-error what is renewed is a coordinator's business
jwtCallback({ clientId: "web" });
// @ts-expect-error an error holds no token
void freshJwt(auth, { token: {} }).then(({ error }) => error?.accessToken);
