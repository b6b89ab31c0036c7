//! Reads a few claims of a JWT (RFC 7519) without verifying it.
//!
//! That is enough here: the token came from the token endpoint itself over TLS (OpenID Connect Core 3.1.3.7 allows
//! that instead of a signature check), and nothing is granted on the strength of what is read. The lifetime is only an
//! estimate of when to refresh; `sub` can only end a session that has become another user's.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::Value;

use super::number::{LONGEST as LONGEST_SPAN, seconds};
use crate::protocol::tokens::Millis;

/// Longer tokens are not taken apart.
const LONGEST: usize = 64 * 1024;

/// What can be read of a JWT. Times are wall clock, milliseconds since the epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// `exp`: when it ends.
    pub expires_at: Option<Millis>,
    /// `iat`: when it was issued.
    pub issued_at: Option<Millis>,
    /// `sub`: whom it is about. Empty counts as absent.
    pub subject: Option<String>,
}

/// Reads the claims, of whatever has three parts and JSON in the middle. Anything else has none.
pub fn claims(token: &str) -> Claims {
    read(token).unwrap_or_default()
}

fn read(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    // Five parts are an encrypted token: nothing to read.
    if token.len() > LONGEST || parts.next().is_some() {
        return None;
    }
    // Padding is wrong in a JWT, and happens.
    let payload = Base64UrlUnpadded::decode_vec(payload.trim_end_matches('=')).ok()?;
    let payload = String::from_utf8(payload).ok()?;
    let payload: Value = serde_json::from_str(&payload).ok()?;
    // A time of zero is a missing one; one beyond all sense is cut, as in a reply.
    let time =
        |name| payload.get(name).and_then(seconds).filter(|time| *time > 0).map(|time| time.min(2 * LONGEST_SPAN));
    let subject = payload.get("sub").and_then(Value::as_str).filter(|subject| !subject.is_empty());
    Some(Claims { expires_at: time("exp"), issued_at: time("iat"), subject: subject.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        ["e30", &Base64UrlUnpadded::encode_string(payload.as_bytes()), "c2ln"].join(".")
    }

    #[test]
    fn claims_are_read_in_every_type_they_come_in() {
        let claims = claims(&token(r#"{"exp":1800000000,"iat":"1799996400","sub":"ann"}"#));
        assert_eq!(claims.expires_at, Some(1_800_000_000_000));
        assert_eq!(claims.issued_at, Some(1_799_996_400_000));
        assert_eq!(claims.subject.as_deref(), Some("ann"));
        assert_eq!(super::claims(&token(r#"{"exp":1800000000.5}"#)).expires_at, Some(1_800_000_000_500));
        assert_eq!(super::claims(&token(r#"{"exp":0,"sub":""}"#)), Claims::default(), "as if they were absent");
    }

    #[test]
    fn a_token_is_taken_apart_up_to_64_kib() {
        let signed = |length: usize| {
            let token = token(r#"{"sub":"ann"}"#);
            [&token, "s".repeat(length - token.len()).as_str()].concat()
        };
        assert_eq!(claims(&signed(64 * 1024)).subject.as_deref(), Some("ann"));
        assert_eq!(claims(&signed(64 * 1024 + 1)).subject, None);
    }

    #[test]
    fn a_time_beyond_all_sense_is_cut_so_that_no_sum_of_moments_overflows() {
        for number in ["18000000000000000", "1e300", "\"99999999999999999999\""] {
            let claims = claims(&token(&format!(r#"{{"exp":{number},"iat":{number}}}"#)));
            assert!(claims.expires_at.is_some_and(|end| end <= 2 * LONGEST_SPAN), "{number}: {claims:?}");
            assert_eq!(claims.issued_at, claims.expires_at);
        }
    }

    #[test]
    fn what_is_no_jwt_has_no_claims() {
        let long = token(&format!(r#"{{"sub":"{}"}}"#, "a".repeat(LONGEST)));
        let encrypted = [&token(r#"{"sub":"ann"}"#), "a", "b"].join(".");
        for text in
            ["", "..", "opaque", "a.b.c", "a.e30", "é.é.é", &long, &encrypted, &token("[]"), &token(r#"{"sub":1}"#)]
        {
            assert_eq!(claims(text), Claims::default());
        }
    }
}
