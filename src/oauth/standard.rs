//! Table: error codes, and what they mean at a token endpoint with whatever status they come.
//!
//! A code stands here if it means one thing only, whoever sends it. What depends on more than the code is in `profiles`.

use super::answer::Answer;
use super::code;
use super::outcome::Outcome;
use crate::protocol::verdict::{Reason, Spent};

const REFUSED: &Outcome = &Outcome::revoked(Reason::Unknown);
const EXPIRED: &Outcome = &Outcome::revoked(Reason::Expired);
const REUSED: &Outcome = &Outcome::revoked(Reason::Reuse);
const REMOVED: &Outcome = &Outcome::revoked(Reason::UserAction);
const CLIENT: &Outcome =
    &Outcome::configuration(code::CLIENT, "the authorization server does not accept the client or its credentials");
const REQUEST: &Outcome =
    &Outcome::configuration(code::REQUEST, "the authorization server takes the request to be malformed");
const SCOPE: &Outcome = &Outcome::configuration(code::SCOPE, "the requested scope is wrong or exceeds the grant");
const DPOP: &Outcome = &Outcome::configuration(code::DPOP, "the proof of possession is wrong (RFC 9449)");
/// Measured: a server may consume the token before it looks at the resource.
const TARGET: &Outcome =
    &Outcome::configuration(code::TARGET, "the requested resource is unknown to the authorization server")
        .maybe_spent();
const NONCE: &Outcome =
    &Outcome::transient(code::DPOP_NONCE, "the authorization server wants its nonce in the DPoP proof")
        .unspent()
        .after(0);

/// Codes in the lower case of the standards, or in the spelling of their vendor.
const CODES: &[(&str, &Outcome)] = &[
    // RFC 6749 section 5.2
    ("invalid_grant", REFUSED),
    ("invalid_client", CLIENT),
    ("unauthorized_client", CLIENT),
    ("unsupported_grant_type", REQUEST),
    ("invalid_request", REQUEST),
    ("invalid_scope", SCOPE),
    // RFC 6749 section 4.1.2.1: meant for the authorization endpoint, seen here
    ("server_error", &Outcome::server_error()),
    ("temporarily_unavailable", &Outcome::server_error()),
    // RFC 6750 section 3.1: meant for resources, seen here
    ("invalid_token", REFUSED),
    // RFC 7009 section 2.2.1
    ("unsupported_token_type", REQUEST),
    // RFC 8628 section 3.5
    ("slow_down", &Outcome::throttled()),
    // RFC 8707, RFC 9396
    ("invalid_target", TARGET),
    ("invalid_authorization_details", TARGET),
    // RFC 9449
    ("use_dpop_nonce", NONCE),
    ("invalid_dpop_proof", DPOP),
    // OpenID Connect Core 3.1.2.6, RFC 9470, Entra, Auth0
    ("interaction_required", &Outcome::interaction()),
    ("login_required", &Outcome::interaction()),
    ("consent_required", &Outcome::interaction()),
    ("account_selection_required", &Outcome::interaction()),
    ("unmet_authentication_requirements", &Outcome::interaction()),
    ("insufficient_user_authentication", &Outcome::interaction()),
    ("mfa_required", &Outcome::interaction()),
    // Google
    ("internal_failure", &Outcome::server_error()),
    // GitHub
    ("bad_refresh_token", REFUSED),
    ("incorrect_client_credentials", CLIENT),
    // Slack
    ("invalid_refresh_token", REFUSED),
    ("token_revoked", REFUSED),
    ("token_expired", EXPIRED),
    ("invalid_client_id", CLIENT),
    ("bad_client_secret", CLIENT),
    ("token_rotation_not_enabled", CLIENT),
    ("internal_error", &Outcome::server_error()),
    ("fatal_error", &Outcome::server_error()),
    ("service_unavailable", &Outcome::server_error()),
    ("request_timeout", &Outcome::server_error()),
    ("accesslimited", &Outcome::server_error()),
    ("ratelimited", &Outcome::throttled()),
    ("rate_limited", &Outcome::throttled()),
    // Supabase
    ("refresh_token_not_found", REFUSED),
    ("refresh_token_already_used", REUSED),
    ("session_not_found", REFUSED),
    ("session_expired", EXPIRED),
    ("user_not_found", REMOVED),
    ("user_banned", &Outcome::user_blocked(Spent::Yes)),
    ("over_request_rate_limit", &Outcome::throttled()),
    // Okta
    ("E0000047", &Outcome::throttled()),
    // AWS: Cognito and IAM Identity Center. NotAuthorizedException says nothing about the token unless its message
    // does, which `profiles` knows.
    ("RefreshTokenReuseException", REUSED),
    ("NotAuthorizedException", CLIENT),
    ("UserNotFoundException", REMOVED),
    ("TooManyRequestsException", &Outcome::throttled()),
    ("SlowDownException", &Outcome::throttled()),
    ("InternalErrorException", &Outcome::server_error()),
    ("InternalServerException", &Outcome::server_error()),
    ("InvalidGrantException", REFUSED),
    ("ExpiredTokenException", EXPIRED),
    ("InvalidClientException", CLIENT),
    ("UnauthorizedClientException", CLIENT),
    ("ResourceNotFoundException", CLIENT),
    ("InvalidRequestException", REQUEST),
    ("InvalidParameterException", REQUEST),
    ("UnsupportedGrantTypeException", REQUEST),
    ("InvalidScopeException", SCOPE),
];

/// What the first error code that stands in the table means.
pub(super) fn outcome(answer: &Answer<'_>) -> Option<&'static Outcome> {
    answer.codes().into_iter().find_map(meaning)
}

/// Is this an error code of the table?
pub(super) fn knows(code: &str) -> bool {
    meaning(code).is_some()
}

fn meaning(code: &str) -> Option<&'static Outcome> {
    CODES.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)).map(|(_, outcome)| *outcome)
}
