//! Whatever the bytes: the judgement ends in a verdict, and no secret gets into what is said about it.

use proptest::prelude::*;
use refresh_coordinator::oauth::judge::{judge, judge_returned, judge_revocation, judge_thrown};
use refresh_coordinator::oauth::jwt;
use refresh_coordinator::oauth::redact::redact;
use refresh_coordinator::oauth::reply::{Body, Facts, Reply};
use refresh_coordinator::protocol::failure::Failure;
use refresh_coordinator::protocol::verdict::{Class, Verdict};
use serde_json::Value;

use crate::rows::ROWS;
use crate::support::PUBLIC;

/// Statuses, the interesting ones more often.
fn status() -> impl Strategy<Value = u16> {
    prop_oneof![prop::sample::select(vec![0, 200, 204, 302, 400, 401, 403, 404, 409, 429, 500, 503]), any::<u16>(),]
}

fn header() -> impl Strategy<Value = (String, String)> {
    let names =
        vec!["Retry-After", "Date", "X-Rate-Limit-Reset", "x-amzn-ErrorType", "WWW-Authenticate", "Content-Type"];
    let name = prop_oneof![prop::sample::select(names).prop_map(str::to_owned), ".{0,12}"];
    (name, prop_oneof![".{0,40}", "-?[0-9]{0,30}", "[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{0,8} GMT"])
}

/// Any JSON, with the member names that matter more often than others.
fn json() -> impl Strategy<Value = Value> {
    let names = vec![
        "error",
        "error_description",
        "message",
        "errors",
        "code",
        "status",
        "__type",
        "access_token",
        "refresh_token",
        "expires_in",
        "id_token",
        "scope",
        "retry_after",
        "error_codes",
        "suberror",
        "__proto__",
        "expiresAt",
        "extra",
        "ok",
    ];
    let name = prop_oneof![prop::sample::select(names).prop_map(str::to_owned), ".{0,8}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,30}".prop_map(Value::from),
        prop::sample::select(vec!["invalid_grant", "invalid_client", "NotAuthorizedException", "a.b.c"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Texts with a secret, whole or a part of at least eight characters, in the middle.
fn with_secret() -> impl Strategy<Value = (String, String)> {
    ("[A-Za-z0-9._~+/-]{8,60}", 0..1_000_usize, 0..1_000_usize, "[ a-z:]{0,300}", "[ a-z.]{0,300}").prop_map(
        |(secret, from, length, before, after)| {
            let from = from % (secret.len() - 7);
            let length = 8 + length % (secret.len() - from - 7);
            let part = secret[from..from + length].to_owned();
            (secret, [before, part, after].concat())
        },
    )
}

/// Does the text contain eight or more characters in a row of the secret?
fn shows(text: &str, secret: &str) -> bool {
    secret.as_bytes().windows(8).any(|window| text.as_bytes().windows(8).any(|other| other == window))
}

/// RFC 6749 appendix A.12: one or more visible ASCII characters or spaces.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Everything that can be printed of a refusal.
fn printed(verdict: &Verdict) -> Option<String> {
    let Verdict::Refused(refusal) = verdict else { return None };
    let failure = Failure::refused(refusal, None);
    Some(format!("{refusal:?} {:?} {failure:?} {failure}", refusal.details))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_have_a_verdict(
        status in status(),
        redirected: bool,
        headers in prop::collection::vec(header(), 0..4),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        received_at: i64,
    ) {
        let text = String::from_utf8_lossy(&bytes);
        for body in [Body::Text(&text), Body::TooLarge, Body::Truncated] {
            let reply = Reply { status, redirected, headers: &headers, body };
            let verdict = judge(&reply, &Facts { received_at, ..PUBLIC });
            prop_assert!(matches!(verdict, Verdict::Refused(_)), "bytes by chance are no grant");
            let _ = judge_revocation(&reply, &PUBLIC);
        }
    }

    #[test]
    fn any_json_has_a_verdict_and_what_is_unknown_ends_no_session(
        status in status(),
        headers in prop::collection::vec(header(), 0..4),
        value in json(),
    ) {
        let text = value.to_string();
        let reply = Reply { status, redirected: false, headers: &headers, body: Body::Text(&text) };
        if let Verdict::Refused(refusal) = judge(&reply, &PUBLIC) {
            let said = ["invalid_grant", "NotAuthorizedException"].iter().any(|code| text.contains(code));
            let revoked = matches!(refusal.class, Class::Revoked(_));
            prop_assert!(!revoked || said || status == 401, "{status} {text}");
            let wait = refusal.retry_after;
            prop_assert!(wait.is_none_or(|wait| (0..=300_000).contains(&wait)), "{wait:?}");
        }
        if let Value::Object(members) = &value {
            let _ = judge_returned(members, &PUBLIC);
            let _ = judge_thrown(Some(status), &headers, members, &PUBLIC);
        }
    }

    #[test]
    fn rows_with_a_byte_changed_or_cut_have_a_verdict(row in 0..ROWS.len(), at: prop::sample::Index, byte: u8, cut: bool) {
        let row = &ROWS[row];
        let mut bytes = row.body.as_bytes().to_vec();
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
        }
        let text = String::from_utf8_lossy(&bytes);
        let _ = judge(&Reply { status: row.status, redirected: false, headers: &[], body: Body::Text(&text) }, &PUBLIC);
    }

    #[test]
    fn escapes_cut_anywhere_have_a_verdict(
        text in "\\{\"access_token\":\"(\\\\u[dD][89a-fA-F][0-9a-f]{0,3}|\\\\[u\"n\\\\é]|[aé]){0,12}(\"\\})?",
    ) {
        let reply = Reply { status: 200, redirected: false, headers: &[], body: Body::Text(&text) };
        // JavaScript and the parser here agree on what is JSON, but for halves of surrogate pairs, which are mended.
        let json = serde_json::from_str::<Value>(&text);
        let granted = json.is_ok_and(|value| value["access_token"].as_str().is_some_and(is_token));
        prop_assert!(!granted || matches!(judge(&reply, &PUBLIC), Verdict::Granted(_)), "{text}");
    }

    #[test]
    fn any_token_has_claims_or_none(token in "[A-Za-z0-9_=-]{0,40}(\\.[A-Za-z0-9_=-]{0,40}){0,5}", other in ".{0,60}") {
        let _ = jwt::claims(&token);
        let _ = jwt::claims(&other);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_secret_gets_into_what_is_said(status in status(), (secret, text) in with_secret(), at in 0..9_usize) {
        let secrets = [secret.as_str()];
        let facts = Facts { secrets: &secrets, ..PUBLIC };
        let quoted = Value::from(text.clone()).to_string();
        let body = match at {
            0 => format!(r#"{{"error":{quoted}}}"#),
            1 => format!(r#"{{"error":"invalid_grant","error_description":{quoted}}}"#),
            2 => format!(r#"{{"errors":[{{"code":{quoted},"message":{quoted}}}]}}"#),
            3 => format!(r#"{{"__type":{quoted},"message":{quoted},"status":{quoted}}}"#),
            4 => format!("error={}&error_description={}", text.replace(' ', "+"), text.replace(' ', "+")),
            5 => format!(r#"{{"error":{{"code":{quoted},"message":{quoted}}}}}"#),
            6 => format!(r#"{{"access_token":1,"message":{quoted}}}"#),
            7 => format!("<html>{text}</html>"),
            _ => text.clone(),
        };
        let headers = [("x-amzn-ErrorType".to_owned(), text.clone()), ("Location".to_owned(), text.clone())];
        let verdict = judge(&Reply { status, redirected: false, headers: &headers, body: Body::Text(&body) }, &facts);
        let printed = printed(&verdict).expect("a refusal");
        prop_assert!(!shows(&printed, &secret), "{printed}");
        let members = serde_json::json!({ "message": text, "error": text });
        let thrown = judge_thrown(None, &[], members.as_object().expect("an object"), &facts);
        prop_assert!(!shows(&format!("{thrown:?}"), &secret), "{thrown:?}");
        prop_assert!(!shows(&redact(&text, &secrets), &secret));
    }
}

#[test]
fn nesting_without_end_is_survived() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let depth = 100_000;
        let text = format!(r#"{{"access_token":"A1","deep":{}0{}}}"#, open.repeat(depth), close.repeat(depth));
        let reply = Reply { status: 200, redirected: false, headers: &[], body: Body::Text(&text) };
        assert!(matches!(judge(&reply, &PUBLIC), Verdict::Refused(_)));
    }
}
