//! Requests that brought no reply: the one question is whether they can have reached the server.

use refresh_coordinator::oauth::reply::Facts;
use refresh_coordinator::oauth::transport::{aborted, failed, lost, not_sent, timed_out};
use refresh_coordinator::protocol::verdict::{Class, Fault, Refusal, Spent};

use crate::support::{PRESENTED, PUBLIC};

fn seen(refusal: &Refusal) -> (Class, Spent, Fault, &str) {
    (refusal.class, refusal.spent, refusal.details.fault, &*refusal.details.code)
}

#[test]
fn a_reply_that_was_lost_leaves_the_token_in_doubt() {
    let network = |spent, code| (Class::Transient, spent, Fault::Network, code);
    assert_eq!(seen(&timed_out(&PUBLIC)), network(Spent::Maybe, "timeout"), "std-20");
    assert_eq!(seen(&aborted(&PUBLIC)), network(Spent::Maybe, "aborted"));
    assert_eq!(seen(&lost("Failed to fetch", &PUBLIC)), network(Spent::Maybe, "connection-lost"));
    assert_eq!(seen(&not_sent("offline", &PUBLIC)), network(Spent::No, "not-sent"));
    assert_eq!(timed_out(&PUBLIC).retry_after, None);
}

#[test]
fn only_what_certainly_was_not_sent_counts_as_not_sent() {
    for (code, syscall) in [
        (Some("ECONNREFUSED"), None),
        (Some("ENOTFOUND"), Some("getaddrinfo")),
        (Some("ETIMEDOUT"), Some("connect")),
        (Some("UND_ERR_CONNECT_TIMEOUT"), None),
        (Some("CERT_HAS_EXPIRED"), None),
        (None, Some("connect")),
    ] {
        assert_eq!(failed(code, syscall, "", &PUBLIC).spent, Spent::No, "{code:?} {syscall:?}");
    }
    for (code, syscall) in [
        (None, None),
        (Some("UND_ERR_SOCKET"), None),
        (Some("ECONNRESET"), Some("read")),
        (Some("EPIPE"), Some("write")),
        (Some("ETIMEDOUT"), None),
        (Some("econnrefused"), None),
        (Some(""), Some("")),
    ] {
        assert_eq!(failed(code, syscall, "", &PUBLIC).spent, Spent::Maybe, "{code:?} {syscall:?}");
    }
}

#[test]
fn the_message_tells_the_hosts_words_without_tokens() {
    let refusal = lost(&format!("fetch of {PRESENTED} failed"), &PUBLIC);
    let expected = "the connection to the authorization server brought no reply (fetch of [redacted] failed)";
    assert_eq!(refusal.details.message, expected);
}

#[test]
fn without_a_token_of_ours_none_is_in_doubt() {
    assert_eq!(timed_out(&Facts { token_sent: false, ..PUBLIC }).spent, Spent::No);
}
