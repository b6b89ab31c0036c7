//! Tokens as the protocol sees them: a secret that cannot be printed, and what one token response granted.
//!
//! Must not know how a token is obtained, sent or stored.

use std::fmt;

use serde_json::{Map, Value};

/// Milliseconds: a moment since the Unix epoch on the wall clock, a moment since an arbitrary start on the
/// monotonic clock, or a duration. Which of them is said where it is used.
pub type Millis = i64;

/// A token, or any text that must never reach a log, an event, an error or a `Debug` output.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Secret(String);

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Every call is a place where the secret may leave: keep them few.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

/// What one token response granted for one set of request parameters (RFC 6749 section 5.1), without the
/// refresh token, which belongs to the session and not to the parameters.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    /// The access token. Absent in a cookie-only session.
    pub access_token: Option<Secret>,
    /// When the access token ends: wall clock, milliseconds since the epoch.
    pub expires_at: Millis,
    /// When the request that obtained it was sent: wall clock, milliseconds since the epoch.
    pub issued_at: Millis,
    /// The generation that minted it. Marks which of two grants is newer within one session.
    pub minted: u64,
    /// `token_type` of the response.
    pub token_type: Option<String>,
    /// `scope` of the response, space-separated.
    pub scope: Option<String>,
    /// `id_token` of the response (OpenID Connect Core 12.2).
    pub id_token: Option<Secret>,
    /// Every other member of the response.
    pub extra: Extra,
}

impl Grant {
    /// The lifetime the server gave it, in milliseconds.
    pub fn lifetime(&self) -> Millis {
        self.expires_at.saturating_sub(self.issued_at).max(0)
    }
}

/// Without [`Grant::extra`]: a server may put a token of its own there.
impl fmt::Debug for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expires_at, issued_at, minted, .. } = self;
        write!(formatter, "Grant {{ minted: {minted}, issued_at: {issued_at}, expires_at: {expires_at}, .. }}")
    }
}

/// Members of a token response that have no name of their own here.
pub type Extra = Map<String, Value>;

/// The token set a caller gets: one grant with the refresh token that is live beside it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenSet {
    /// The live refresh token of the session.
    pub refresh_token: Option<Secret>,
    /// The grant for the parameters that were asked for.
    pub grant: Grant,
    /// The generation of the session this set was read at.
    pub generation: u64,
    /// The `sid` of the session it belongs to; empty in successor mode, where the key is the identity.
    pub sid: String,
    /// When the access token ends on the monotonic clock of this context, in milliseconds.
    pub expires_monotonic: Millis,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_printed_without_its_tokens_and_members() {
        let mut extra = Extra::new();
        extra.insert("device_token".into(), "hush".into());
        let grant = Grant {
            access_token: Some(Secret::new("hush")),
            expires_at: 9,
            issued_at: 4,
            minted: 2,
            token_type: None,
            scope: None,
            id_token: None,
            extra,
        };
        assert_eq!(format!("{grant:?}"), "Grant { minted: 2, issued_at: 4, expires_at: 9, .. }");
        assert_eq!(format!("{:?}", grant.access_token), "Some([secret])");
        assert_eq!((grant.lifetime(), Grant { expires_at: 3, ..grant }.lifetime()), (5, 0));
    }
}
