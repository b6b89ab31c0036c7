//! Replies that are grants, and what a custom `refresh` may return in the place of one.

use refresh_coordinator::oauth::judge::{judge_returned, judge_thrown};
use refresh_coordinator::oauth::reply::Facts;
use refresh_coordinator::protocol::tokens::Secret;
use refresh_coordinator::protocol::verdict::{Class, Reason, Spent, Verdict};
use serde_json::{Value, json};

use crate::support::{PRESENTED, PUBLIC, RECEIVED, granted, headers, verdict};

fn members(value: Value) -> serde_json::Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn returned(value: Value) -> Verdict {
    judge_returned(&members(value), &PUBLIC)
}

#[test]
fn a_grant_is_one_in_json_and_as_a_form_whatever_it_calls_itself() {
    for text in [
        r#"{"access_token":"A1","refresh_token":"R1","expires_in":3600,"token_type":"bearer","scope":"a b"}"#,
        "\u{feff}{\"scope\":\"a b\",\"token_type\":\"bearer\",\"expires_in\":\"3600\",\"refresh_token\":\"R1\",\"access_token\":\"A1\"}\n",
        "access_token=A1&expires_in=3600&refresh_token=R1&scope=a+b&token_type=bearer",
    ] {
        for status in [200, 201] {
            let Verdict::Granted(granted) = verdict(status, &[("content-type", "text/plain")], text, &PUBLIC) else {
                panic!("refused: {text}")
            };
            assert_eq!(granted.access_token, Some(Secret::new("A1")));
            assert_eq!(granted.refresh_token, Some(Secret::new("R1")));
            assert_eq!((granted.lifetime, granted.expires_at), (Some(3_600_000), None));
            assert_eq!((granted.token_type.as_deref(), granted.scope.as_deref()), (Some("bearer"), Some("a b")));
            assert!(granted.extra.is_empty());
        }
    }
}

#[test]
fn an_absent_refresh_token_is_an_unchanged_one() {
    for text in [
        r#"{"access_token":"A1"}"#,
        r#"{"access_token":"A1","refresh_token":null}"#,
        r#"{"access_token":"A1","refresh_token":""}"#,
    ] {
        assert_eq!(granted(text).refresh_token, None, "{text}");
    }
}

#[test]
fn wrong_members_beside_the_tokens_do_not_cost_the_tokens() {
    let granted = granted(
        r#"{"access_token":"A1","refresh_token":"R1","expires_in":"soon","scope":7,"token_type":[],"id_token":{},"error":""}"#,
    );
    assert_eq!(granted.refresh_token, Some(Secret::new("R1")));
    assert_eq!((granted.lifetime, granted.scope, granted.token_type, granted.id_token), (None, None, None, None));
}

#[test]
fn an_error_beside_an_access_token_does_not_cost_the_tokens() {
    assert_eq!(granted(r#"{"access_token":"A1","error":"invalid_grant"}"#).access_token, Some(Secret::new("A1")));
}

#[test]
fn the_servers_clock_tells_what_is_left_of_a_token() {
    let date = [("Date", "Sat, 21 Nov 2026 06:00:00 GMT")]; // 1_795_240_800
    let text = r#"{"access_token":"A1","expires_at":1795241400}"#;
    let Verdict::Granted(granted) = verdict(200, &date, text, &PUBLIC) else { panic!("refused") };
    assert_eq!(granted.lifetime, Some(600_000));
}

#[test]
fn a_custom_refresh_returns_a_token_set_or_the_members_of_a_reply() {
    for value in [
        json!({ "accessToken": "A1", "refreshToken": "R1", "expiresAt": RECEIVED + 60_000 }),
        json!({ "access_token": "A1", "refresh_token": "R1", "expires_at": (RECEIVED + 60_000) / 1_000 }),
        json!({ "accessToken": "A1", "refreshToken": "R1", "expiresAt": (RECEIVED + 60_000) / 1_000 }),
    ] {
        let Verdict::Granted(granted) = returned(value.clone()) else { panic!("refused: {value}") };
        assert_eq!(granted.refresh_token, Some(Secret::new("R1")));
        assert_eq!((granted.lifetime, granted.expires_at), (None, Some(RECEIVED + 60_000)), "{value}");
    }
    let Verdict::Granted(endless) = returned(json!({ "accessToken": "A1" })) else { panic!("refused") };
    assert_eq!((endless.lifetime, endless.expires_at), (None, None));
    let Verdict::Granted(cookie_only) = returned(json!({ "expiresIn": 60 })) else { panic!("refused") };
    assert_eq!((cookie_only.access_token, cookie_only.lifetime), (None, Some(60_000)));
    let Verdict::Granted(cookie_only) = returned(json!({ "expiresAt": RECEIVED + 60_000 })) else { panic!("refused") };
    assert_eq!((cookie_only.access_token, cookie_only.expires_at), (None, Some(RECEIVED + 60_000)));
}

#[test]
fn what_a_custom_refresh_returns_without_tokens_is_judged() {
    let class = |value| match returned(value) {
        Verdict::Refused(refusal) => (refusal.class, refusal.spent),
        Verdict::Granted(_) => panic!("granted"),
    };
    assert_eq!(class(json!({ "error": "invalid_grant" })), (Class::Revoked(Reason::Unknown), Spent::Yes));
    assert_eq!(class(json!({ "error": "mfa_required" })), (Class::Interaction, Spent::No));
    assert_eq!(class(json!({ "error": "RefreshAccessTokenError" })), (Class::Transient, Spent::Maybe));
    let old = json!({ "accessToken": "A0", "expiresAt": RECEIVED - 1, "error": "RefreshAccessTokenError" });
    assert_eq!(class(old), (Class::Transient, Spent::Maybe));
    assert_eq!(class(json!({})), (Class::Transient, Spent::Maybe));
    assert_eq!(class(json!({ "refreshToken": "R1" })), (Class::Transient, Spent::Maybe));
    assert_eq!(class(json!({ "accessToken": "A1", "refreshToken": 1 })), (Class::Transient, Spent::Maybe));
    let code = |value| match returned(value) {
        Verdict::Refused(refusal) => refusal.details.code,
        Verdict::Granted(_) => panic!("granted"),
    };
    assert_eq!(code(json!({ "error": "RefreshAccessTokenError", "refreshToken": 1 })), "unknown-reply");
    assert_eq!(code(json!({ "accessToken": "A1", "refreshToken": 1 })), "malformed-reply");
    assert_eq!(code(json!({ "refreshToken": "R1" })), "reply-without-access-token");
}

#[test]
fn what_a_custom_refresh_throws_is_judged_and_never_a_grant() {
    let none = headers(&[]);
    let thrown = |status, value| judge_thrown(status, &none, &members(value), &PUBLIC);
    let unknown = thrown(None, json!({ "message": format!("boom {PRESENTED}") }));
    assert_eq!((unknown.class, unknown.spent), (Class::Transient, Spent::Maybe));
    assert_eq!(unknown.details.code, "refresh-threw");
    assert_eq!(unknown.details.message, "the custom `refresh` failed (boom [redacted])");
    assert_eq!(thrown(None, json!({ "error": "invalid_grant" })).class, Class::Revoked(Reason::Unknown));
    assert_eq!(thrown(Some(401), json!({})).class, Class::Revoked(Reason::Unknown));
    assert_eq!(thrown(Some(404), json!({})).class, Class::Configuration);
    assert_eq!(thrown(Some(302), json!({})).class, Class::Configuration);
    assert_eq!(thrown(Some(418), json!({})).details.code, "unknown-reply");
    assert_eq!(thrown(Some(200), json!({ "access_token": "A1" })).class, Class::Transient);
    let throttled = judge_thrown(Some(429), &headers(&[("retry-after", "3")]), &members(json!({})), &PUBLIC);
    assert_eq!((throttled.retry_after, throttled.spent), (Some(3_000), Spent::No));
    let cookie_only = Facts { token_sent: false, ..PUBLIC };
    assert_eq!(judge_thrown(None, &none, &members(json!({})), &cookie_only).spent, Spent::No);
}
