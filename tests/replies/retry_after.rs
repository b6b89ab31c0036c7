//! When the server wants to be asked again.

use crate::support::{PUBLIC, refusal};

fn wish(headers: &[(&str, &str)], body: &str) -> Option<i64> {
    refusal(429, headers, body, &PUBLIC).retry_after
}

/// RECEIVED is Wed, 18 Nov 2026 11:06:40 GMT.
const DATE: (&str, &str) = ("Date", "Wed, 18 Nov 2026 11:06:40 GMT");

#[test]
fn seconds_are_clamped_and_nonsense_is_ignored() {
    for (text, expected) in [
        ("0", Some(0)),
        ("1", Some(1_000)),
        (" 120 ", Some(120_000)),
        ("300", Some(300_000)),
        ("301", Some(300_000)),
        ("99999999999999999999999", Some(300_000)),
        ("-1", None),
        ("", None),
        ("soon", None),
        ("1e3", None),
        ("0x10", None),
    ] {
        assert_eq!(wish(&[("Retry-After", text)], ""), expected, "{text:?}");
    }
}

#[test]
fn dates_come_in_three_forms() {
    for date in ["Wed, 18 Nov 2026 11:07:10 GMT", "Wednesday, 18-Nov-26 11:07:10 GMT", "Wed Nov 18 11:07:10 2026"] {
        assert_eq!(wish(&[("retry-after", date)], ""), Some(30_000), "{date}");
    }
    assert_eq!(wish(&[("Retry-After", "Thu, 19 Nov 2026 11:06:40 GMT")], ""), Some(300_000));
    for past in ["Wed, 18 Nov 2026 11:06:39 GMT", "Wed, 18 Nov 2026 11:06:40 GMT"] {
        assert_eq!(wish(&[("Retry-After", past)], ""), None, "what is not ahead says nothing");
    }
}

#[test]
fn a_date_is_measured_by_the_servers_own_clock() {
    let ahead = [("Date", "Wed, 18 Nov 2026 12:00:00 GMT"), ("Retry-After", "Wed, 18 Nov 2026 12:00:20 GMT")];
    assert_eq!(wish(&ahead, ""), Some(20_000));
    let broken = [("Date", "now"), ("Retry-After", "Wed, 18 Nov 2026 11:07:10 GMT")];
    assert_eq!(wish(&broken, ""), Some(30_000));
}

#[test]
fn vendors_have_ways_of_their_own() {
    assert_eq!(wish(&[], r#"{"retry_after":0.529}"#), Some(529));
    assert_eq!(wish(&[], r#"{"retry_after":"2.5"}"#), Some(2_500));
    assert_eq!(wish(&[], r#"{"retry_after":1e300}"#), Some(300_000));
    assert_eq!(wish(&[], r#"{"retry_after":-1}"#), None);
    assert_eq!(wish(&[DATE, ("X-Rate-Limit-Reset", "1795000060")], ""), Some(60_000));
    assert_eq!(wish(&[DATE, ("X-Rate-Limit-Reset", "1794999999")], ""), None);
    assert_eq!(
        wish(&[("Retry-After", "1"), ("X-Rate-Limit-Reset", "1795000060")], r#"{"retry_after":2}"#),
        Some(1_000)
    );
}

#[test]
fn only_what_may_succeed_later_is_to_be_retried() {
    let wait = [("Retry-After", "5")];
    assert_eq!(refusal(503, &wait, "", &PUBLIC).retry_after, Some(5_000));
    assert_eq!(refusal(400, &wait, r#"{"error":"invalid_client"}"#, &PUBLIC).retry_after, None);
    assert_eq!(refusal(400, &wait, r#"{"error":"invalid_grant"}"#, &PUBLIC).retry_after, None);
}
