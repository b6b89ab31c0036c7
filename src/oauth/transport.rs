//! The outcomes without a reply: what a host reports when `fetch` rejects, or the time is up.
//!
//! The one question that matters is whether the request can have reached the server.

use super::code;
use super::outcome::Outcome;
use super::redact::redact;
use super::reply::Facts;
use crate::protocol::verdict::{Details, Fault, Refusal};

/// Error codes of Node, Deno and Bun that say: no connection was made, so nothing was sent. The first is our own.
const NEVER_CONNECTED: [&str; 14] = [
    "ERR_NO_FETCH",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "UND_ERR_CONNECT_TIMEOUT",
    "CERT_HAS_EXPIRED",
    "CERT_NOT_YET_VALID",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "UNABLE_TO_GET_ISSUER_CERT",
    "ERR_TLS_CERT_ALTNAME_INVALID",
    "ConnectionRefused",
];

/// The connection failed. `code` and `syscall` are members of the error or of its cause, where a host has them; a
/// browser has neither, and then the request may have been sent. `text`: the error's message, redacted here.
pub fn failed(code: Option<&str>, syscall: Option<&str>, text: &str, facts: &Facts<'_>) -> Refusal {
    let never_connected = code.is_some_and(|code| NEVER_CONNECTED.contains(&code));
    let before_sending = matches!(syscall, Some("connect" | "getaddrinfo"));
    if never_connected || before_sending { not_sent(text, facts) } else { lost(text, facts) }
}

/// The request certainly did not leave this machine: transient, not spent.
pub fn not_sent(text: &str, facts: &Facts<'_>) -> Refusal {
    let what = "the authorization server could not be reached";
    network(Outcome::transient(code::NOT_SENT, what).unspent(), text, facts)
}

/// The request may have been sent, and there is no reply: transient, spent maybe.
pub fn lost(text: &str, facts: &Facts<'_>) -> Refusal {
    let what = "the connection to the authorization server brought no reply";
    network(Outcome::transient(code::LOST, what), text, facts)
}

/// The request was sent, and there was no reply in time: transient, spent maybe.
pub fn timed_out(facts: &Facts<'_>) -> Refusal {
    let what = "the authorization server did not answer in time";
    network(Outcome::transient(code::TIMEOUT, what), "", facts)
}

/// The host gave the request up after it was sent (a page that closes): transient, spent maybe.
pub fn aborted(facts: &Facts<'_>) -> Refusal {
    let what = "the request was given up before the authorization server answered";
    network(Outcome::transient(code::ABORTED, what), "", facts)
}

fn network(outcome: Outcome, text: &str, facts: &Facts<'_>) -> Refusal {
    let mut refusal = outcome.silent_refusal(facts);
    let text = redact(text, facts.secrets);
    let message = if text.is_empty() { outcome.what.to_owned() } else { [outcome.what, " (", &text, ")"].concat() };
    refusal.details = Details::new(Fault::Network, outcome.code, message);
    refusal
}
