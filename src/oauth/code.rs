//! The stable codes of refusals, as they reach applications in the `code` of an error.

// The session is over.

/// The server does not accept the refresh token any more.
pub const REFUSED: &str = "refresh-token-refused";
/// A bare 401 to a request whose only credential was the refresh token.
pub const UNAUTHORIZED: &str = "unauthorized";

// The user must act.

/// The server wants the user: a second factor, consent, a policy.
pub const INTERACTION: &str = "interaction-required";
/// The user's account is suspended.
pub const USER_BLOCKED: &str = "user-blocked";

// The configuration is wrong.

/// Client id, secret or another client credential is wrong, or the client may not refresh.
pub const CLIENT: &str = "client-refused";
/// The request is malformed in the eyes of the server.
pub const REQUEST: &str = "request-refused";
/// The requested scope is wrong or exceeds the grant.
pub const SCOPE: &str = "scope-refused";
/// The requested resource or audience is unknown to the server.
pub const TARGET: &str = "target-refused";
/// The proof of possession is wrong (RFC 9449).
pub const DPOP: &str = "dpop-refused";
/// The endpoint answered with a redirect.
pub const REDIRECTED: &str = "redirected";
/// There is no token endpoint at that address.
pub const ENDPOINT: &str = "wrong-endpoint";
/// Something in front of the endpoint asks for HTTP authentication, or rejects the client's.
pub const UNAUTHENTICATED: &str = "client-not-authenticated";

// Not now.

/// Too many requests.
pub const THROTTLED: &str = "throttled";
/// The server has trouble of its own.
pub const SERVER: &str = "server-error";
/// Another refresh of the same token is running.
pub const RACED: &str = "raced";
/// The server wants the request again with the nonce it sent (RFC 9449 section 8).
pub const DPOP_NONCE: &str = "dpop-nonce-required";
/// Something between here and the server blocks the request: a bot wall, a portal.
pub const BLOCKED: &str = "blocked";
/// A reply that means nothing to us.
pub const UNKNOWN: &str = "unknown-reply";
/// A success that is no token response: empty, HTML, broken JSON, or a member of the wrong type.
pub const MALFORMED: &str = "malformed-reply";
/// A success in JSON that has no access token.
pub const NO_ACCESS_TOKEN: &str = "reply-without-access-token";
/// The body is longer than 1 MiB.
pub const TOO_LARGE: &str = "reply-too-large";
/// The body ended before its time.
pub const TRUNCATED: &str = "reply-truncated";
/// The request did not leave this machine.
pub const NOT_SENT: &str = "not-sent";
/// The request may have been sent; the connection brought no reply.
pub const LOST: &str = "connection-lost";
/// No reply in time.
pub const TIMEOUT: &str = "timeout";
/// The host gave the request up.
pub const ABORTED: &str = "aborted";
/// A custom `refresh` threw something that says nothing about the token.
pub const THREW: &str = "refresh-threw";
