//! Short ways to have a reply judged.

use refresh_coordinator::oauth::judge::judge;
use refresh_coordinator::oauth::reply::{Body, Facts, Reply};
use refresh_coordinator::protocol::verdict::{Granted, Refusal, Verdict};

/// The refresh token that every request of these tests presented.
pub const PRESENTED: &str = "rt.8xLOxBtZp8-0a1b2c3d";
/// When every reply of these tests came: November 2026.
pub const RECEIVED: i64 = 1_795_000_000_000;

/// A public client that presented a token.
pub const PUBLIC: Facts<'static> =
    Facts { client_authenticated: false, token_sent: true, scope: None, secrets: &[PRESENTED], received_at: RECEIVED };

/// A client with a secret that presented a token.
pub const CONFIDENTIAL: Facts<'static> = Facts { client_authenticated: true, ..PUBLIC };

pub fn headers(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The verdict on a reply with a body that arrived whole.
pub fn verdict(status: u16, with: &[(&str, &str)], text: &str, facts: &Facts<'_>) -> Verdict {
    let headers = headers(with);
    judge(&Reply { status, redirected: false, headers: &headers, body: Body::Text(text) }, facts)
}

pub fn refusal(status: u16, with: &[(&str, &str)], text: &str, facts: &Facts<'_>) -> Refusal {
    match verdict(status, with, text, facts) {
        Verdict::Refused(refusal) => *refusal,
        Verdict::Granted(_) => panic!("granted: {status} {text}"),
    }
}

pub fn granted(text: &str) -> Granted {
    match verdict(200, &[], text, &PUBLIC) {
        Verdict::Granted(granted) => *granted,
        Verdict::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}
