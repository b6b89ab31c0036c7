//! Every row of the table, as it stands and in the variations in which servers and what stands before them send it.

use refresh_coordinator::oauth::reply::Facts;
use refresh_coordinator::protocol::verdict::Refusal;
use serde_json::Value;

use crate::rows::{ROWS, Row};
use crate::support::{CONFIDENTIAL, PUBLIC, refusal};

#[test]
fn every_row_comes_out_right() {
    each(|row, facts| check(row, "as it stands", refusal(row.status, row.headers, row.body, facts)));
}

#[test]
fn headers_may_be_written_in_any_case() {
    each(|row, facts| {
        for spell in [str::to_ascii_uppercase, str::to_ascii_lowercase] {
            let names: Vec<String> = row.headers.iter().map(|(name, _)| spell(name)).collect();
            let headers: Vec<(&str, &str)> =
                names.iter().zip(row.headers).map(|(name, (_, value))| (name.as_str(), *value)).collect();
            check(row, "other header case", refusal(row.status, &headers, row.body, facts));
        }
    });
}

#[test]
fn the_content_type_does_not_count() {
    each(|row, facts| {
        for content_type in ["text/plain", "text/html; charset=utf-8", "application/json", ""] {
            let mut headers = row.headers.to_vec();
            headers.retain(|(name, _)| *name != "Content-Type");
            headers.push(("Content-Type", content_type));
            check(row, content_type, refusal(row.status, &headers, row.body, facts));
        }
    });
}

#[test]
fn a_byte_order_mark_and_space_around_do_not_count() {
    each(|row, facts| {
        for body in [["\u{feff}", row.body].concat(), ["\u{feff}\r\n ", row.body, "\n\n"].concat()] {
            check(row, "mark and space", refusal(row.status, row.headers, &body, facts));
        }
    });
}

#[test]
fn the_order_of_members_does_not_count() {
    each(|row, facts| {
        let Some(members) = members(row) else { return };
        for turn in 0..members.len() {
            let mut turned = members.clone();
            turned.rotate_left(turn);
            check(row, "rotated", refusal(row.status, row.headers, &object(&turned), facts));
            turned.reverse();
            check(row, "reversed", refusal(row.status, row.headers, &object(&turned), facts));
        }
    });
}

#[test]
fn members_nobody_asked_for_do_not_count() {
    each(|row, facts| {
        let Some(mut members) = members(row) else { return };
        for (name, value) in [
            ("timestamp", "\"2026-11-21 06:00:00Z\""),
            ("trace_id", "\"0f8fad5b-d9cb-469f-a165-70867728950e\""),
            ("__proto__", r#"{"error":"invalid_grant","access_token":"A1"}"#),
            ("constructor", r#"{"error":"invalid_grant"}"#),
            ("error_uri", "\"https://issuer.example/errors\""),
            ("nested", r#"{"a":[1,{"b":null}]}"#),
            ("refresh_token", "null"),
            ("access_token", "\"\""),
        ] {
            members.insert(0, (name.to_owned(), value.to_owned()));
        }
        // A word in a member that nobody knows is looked at as a last resort only, and these rows use it.
        if row.id == "cl-1" {
            members.retain(|(name, _)| name != "__proto__" && name != "constructor");
        }
        check(row, "more members", refusal(row.status, row.headers, &object(&members), facts));
    });
}

#[test]
fn the_status_and_a_sentence_are_told() {
    each(|row, facts| {
        let details = refusal(row.status, row.headers, row.body, facts).details;
        assert_eq!(details.status, Some(row.status), "{}", row.id);
        assert!(details.message.contains(&["(HTTP ", &row.status.to_string()].concat()), "{}", details.message);
        assert!(!details.code.is_empty() && details.code.bytes().all(|b| b == b'-' || b.is_ascii_lowercase()));
        if let Some(code) = row.body.strip_prefix(r#"{"error":""#).and_then(|rest| rest.split('"').next()) {
            assert_eq!(details.oauth_error.as_deref(), Some(code), "{}", row.id);
        }
    });
}

/// Every row, for a client without and with a secret, unless the row is about one of them.
fn each(test: impl Fn(&Row, &Facts<'_>)) {
    for row in ROWS {
        for facts in [PUBLIC, CONFIDENTIAL] {
            if row.confidential.is_none_or(|confidential| confidential == facts.client_authenticated) {
                test(row, &Facts { scope: row.scope, ..facts });
            }
        }
    }
}

fn check(row: &Row, variation: &str, refusal: Refusal) {
    let seen = (refusal.class, refusal.spent, refusal.retry_after);
    let (wanted, id) = ((row.class, row.spent, row.retry_after), row.id);
    assert_eq!(seen, wanted, "{id} ({variation}): {} {} {:?}", row.status, row.body, refusal.details);
}

/// The members of the row's body in their order, as texts; none if it is no JSON object.
fn members(row: &Row) -> Option<Vec<(String, String)>> {
    let Ok(Value::Object(members)) = serde_json::from_str(row.body) else { return None };
    Some(members.into_iter().map(|(name, value)| (name, value.to_string())).collect())
}

fn object(members: &[(String, String)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
    ["{", &members.join(","), "}"].concat()
}
