//! Replies that are no token responses at all: typed refusals, and the session is kept.

use refresh_coordinator::oauth::judge::{judge, judge_revocation};
use refresh_coordinator::oauth::reply::{Body, Facts, Reply};
use refresh_coordinator::protocol::verdict::{Class, Fault, Reason, Refusal, Spent, Verdict};

use crate::support::{CONFIDENTIAL, PRESENTED, PUBLIC, granted, headers, refusal};

fn unread(status: u16, body: Body<'_>) -> Refusal {
    match judge(&Reply { status, redirected: false, headers: &[], body }, &PUBLIC) {
        Verdict::Refused(refusal) => *refusal,
        Verdict::Granted(_) => panic!("granted"),
    }
}

#[test]
fn a_success_that_is_no_token_response_ends_nothing() {
    for (text, code) in [
        ("", "malformed-reply"),
        ("   \n", "malformed-reply"),
        ("<html>welcome</html>", "malformed-reply"),
        ("ok", "malformed-reply"),
        ("null", "malformed-reply"),
        ("[]", "malformed-reply"),
        ("42", "malformed-reply"),
        (r#""A1""#, "malformed-reply"),
        (r#"{"access_token":"A1","refresh_tok"#, "malformed-reply"),
        (r#"{"access_token":"A1"}}"#, "malformed-reply"),
        (r#"{"access_token":7}"#, "malformed-reply"),
        (r#"{"access_token":{"a":1}}"#, "malformed-reply"),
        (r#"{"access_token":"A1\r\nX-Header: 1"}"#, "malformed-reply"),
        (r#"{"access_token":"A1","refresh_token":"Ré"}"#, "malformed-reply"),
        (r#"{"access_token":"A1","refresh_token":7}"#, "malformed-reply"),
        (r#"{"access_token":"A1","refresh_token":["R1"]}"#, "malformed-reply"),
        (r#"{"access_token":null}"#, "reply-without-access-token"),
        (r#"{"access_token":""}"#, "reply-without-access-token"),
        (r#"{"refresh_token":"R1"}"#, "reply-without-access-token"),
        (r#"{"status":"ok"}"#, "reply-without-access-token"),
        (r#"{"__proto__":{"access_token":"A1"}}"#, "reply-without-access-token"),
        (r#"{"ok":false,"access_token":"A1"}"#, "unknown-reply"),
    ] {
        for status in [200, 201, 204] {
            let refusal = refusal(status, &[], text, &PUBLIC);
            let seen = (refusal.class, refusal.spent, &*refusal.details.code);
            assert_eq!(seen, (Class::Transient, Spent::Maybe, code), "{status} {text}");
        }
    }
}

#[test]
fn a_body_that_is_too_long_or_ends_early_says_nothing() {
    for (body, code) in [(Body::TooLarge, "reply-too-large"), (Body::Truncated, "reply-truncated")] {
        for status in [200, 400, 401, 403] {
            let refusal = unread(status, body);
            assert_eq!((refusal.class, refusal.spent), (Class::Transient, Spent::Maybe), "{status}");
            assert_eq!((&*refusal.details.code, refusal.details.status), (code, Some(status)));
        }
        assert_eq!(unread(404, body).class, Class::Configuration);
        assert_eq!((unread(429, body).class, unread(429, body).spent), (Class::Transient, Spent::No));
        assert_eq!(unread(502, body).details.code, "server-error");
    }
    // What was cut off may have said the opposite.
    assert_eq!(refusal(400, &[], r#"{"error":"invalid_requ"#, &PUBLIC).class, Class::Transient);
}

#[test]
fn a_redirect_that_was_not_followed_is_a_wrong_endpoint() {
    let opaque = Reply { status: 0, redirected: true, headers: &[], body: Body::Text("") };
    let Verdict::Refused(refusal) = judge(&opaque, &PUBLIC) else { panic!("granted") };
    assert_eq!((refusal.class, refusal.spent), (Class::Configuration, Spent::No));
    assert_eq!((&*refusal.details.code, refusal.details.status), ("redirected", None));
    assert_eq!(refusal.details.fault, Fault::Caller);
}

#[test]
fn a_401_from_something_in_front_does_not_end_a_session() {
    let html = refusal(401, &[], "<html><h1>Sign in to the guest network</h1></html>", &PUBLIC);
    assert_eq!((html.class, &*html.details.code), (Class::Transient, "blocked"));
    let wall = refusal(401, &[("www-authenticate", "Basic realm=\"staging\"")], "", &PUBLIC);
    assert_eq!((wall.class, wall.spent), (Class::Configuration, Spent::No));
    let bearer = refusal(401, &[("WWW-Authenticate", "Bearer error=\"invalid_token\"")], "", &PUBLIC);
    assert_eq!((bearer.class, &*bearer.details.code), (Class::Revoked(Reason::Unknown), "unauthorized"));
    let bare = refusal(401, &[], "", &PUBLIC);
    assert_eq!((bare.class, bare.spent), (Class::Revoked(Reason::Unknown), Spent::Maybe));
    assert_eq!(bare.details.code, "unauthorized");
    let worded = refusal(401, &[], r#"{"message":"Unauthorized"}"#, &PUBLIC);
    assert_eq!((worded.spent, &*worded.details.code), (Spent::Yes, "unauthorized"));
    let client = refusal(401, &[], "", &CONFIDENTIAL);
    assert_eq!((client.class, &*client.details.code), (Class::Configuration, "client-not-authenticated"));
}

#[test]
fn a_403_with_a_page_comes_from_something_in_front() {
    let told = |body| refusal(403, &[], body, &PUBLIC).details.code;
    assert_eq!(told("<html>Are you a robot?</html>"), "blocked");
    assert_eq!(told("no"), "unknown-reply");
}

#[test]
fn a_body_may_have_a_mebibyte() {
    assert_eq!(refresh_coordinator::oauth::reply::LONGEST_BODY, 1_048_576, "as the message says");
}

#[test]
fn the_message_says_why_a_session_is_over() {
    for (error, why) in [
        ("token_expired", "the refresh token has expired (HTTP 400: token_expired)"),
        (
            "refresh_token_already_used",
            "the authorization server says that the refresh token was used before (HTTP 400: refresh_token_already_used)",
        ),
        ("user_not_found", "the session was ended by the user or an administrator (HTTP 400: user_not_found)"),
    ] {
        assert_eq!(refusal(400, &[], &format!(r#"{{"error":"{error}"}}"#), &PUBLIC).details.message, why);
    }
    let idle = r#"{"error":"invalid_grant","error_codes":[700082],"error_description":"invalid_grant"}"#;
    let message = "the refresh token was not used for too long (HTTP 400: invalid_grant)";
    assert_eq!(refusal(400, &[], idle, &PUBLIC).details.message, message, "a code is not told twice");
}

#[test]
fn a_code_that_is_known_is_told_before_one_that_is_not() {
    let told = |body| refusal(400, &[], body, &PUBLIC).details.oauth_error;
    assert_eq!(told(r#"{"error":"weird","code":"invalid_grant"}"#).as_deref(), Some("invalid_grant"));
    assert_eq!(told(r#"{"error":"weird","code":"odd"}"#).as_deref(), Some("weird"));
    assert_eq!(told(r#"{"code":"odd"}"#), None, "not in the standard's place, and unknown");
}

#[test]
fn without_a_token_of_ours_nothing_can_be_spent_by_accident() {
    let cookie_only = Facts { token_sent: false, secrets: &[], ..PUBLIC };
    assert_eq!(refusal(500, &[], "", &cookie_only).spent, Spent::No);
    assert_eq!(refusal(401, &[], "{}", &cookie_only).class, Class::Revoked(Reason::Unknown));
}

#[test]
fn members_of_a_prototype_never_arrive() {
    let text = r#"{"access_token":"A1","__proto__":{"x":1},"a":{"constructor":{"prototype":1},"b":[{"__proto__":2}]}}"#;
    assert_eq!(serde_json::Value::Object(granted(text).extra).to_string(), r#"{"a":{"b":[{}]}}"#);
}

#[test]
fn what_the_server_wrote_is_shown_without_tokens_on_one_short_line() {
    let text = format!(r#"{{"error":"invalid_grant","error_description":"Token {PRESENTED} is dead.\r\nTrace: 12"}}"#);
    let details = refusal(400, &[], &text, &PUBLIC).details;
    let expected = "the authorization server does not accept the refresh token any more \
                    (HTTP 400: invalid_grant: Token [redacted] is dead. Trace: 12)";
    assert_eq!(details.message, expected);
    let long = format!(r#"{{"error":"invalid_grant","error_description":"{}"}}"#, "word ".repeat(1_000));
    assert!(refusal(400, &[], &long, &PUBLIC).details.message.len() < 450);
    for error in [PRESENTED.to_owned(), format!("x_{PRESENTED}"), "\u{e9}".into(), "a".repeat(65), "a\\\"b".into()] {
        let details = refusal(400, &[], &format!(r#"{{"error":"{error}"}}"#), &PUBLIC).details;
        assert_eq!(details.oauth_error, None, "{error}");
    }
}

#[test]
fn a_revocation_succeeds_if_the_token_is_gone() {
    let revoked = |status, body| {
        let headers = headers(&[("Retry-After", "5")]);
        judge_revocation(&Reply { status, redirected: false, headers: &headers, body: Body::Text(body) }, &PUBLIC)
    };
    assert_eq!(revoked(200, ""), Ok(()));
    assert_eq!(revoked(204, ""), Ok(()));
    assert_eq!(revoked(400, r#"{"error":"invalid_token"}"#), Ok(()));
    assert_eq!(revoked(400, r#"{"error":"invalid_grant"}"#), Ok(()));
    let busy = revoked(503, "").unwrap_err();
    assert_eq!((busy.class, busy.retry_after), (Class::Transient, Some(5_000)));
    for (status, body) in
        [(400, r#"{"error":"unsupported_token_type"}"#), (401, r#"{"error":"invalid_client"}"#), (404, "")]
    {
        assert_eq!(revoked(status, body).unwrap_err().class, Class::Configuration, "{status}");
    }
    assert!(revoked(401, "").is_err(), "a bare 401 revoked nothing");
}

#[test]
fn a_token_that_a_refusal_brings_along_is_not_repeated_in_what_is_said() {
    for member in ["access_token", "refresh_token", "id_token"] {
        let text = format!(r#"{{"error":"at-0123456789","{member}":"at-0123456789","message":"bad at-0123456789"}}"#);
        let refusal = refusal(400, &[], &text, &PUBLIC);
        assert_eq!(refusal.details.oauth_error, None);
        assert!(!format!("{refusal:?}").contains("0123456789"), "{refusal:?}");
    }
}
