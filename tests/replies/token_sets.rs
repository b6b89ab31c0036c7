//! The members of a grant, in all the types and spellings in which they come.

use base64ct::{Base64UrlUnpadded, Encoding};
use refresh_coordinator::oauth::token_set::{Age, Reading, Spelling, read};
use refresh_coordinator::protocol::tokens::{Millis, Secret};
use refresh_coordinator::protocol::verdict::Granted;
use serde_json::{Value, json};

const NOW: Millis = 1_800_000_000_000;
const HUNDRED_YEARS: Millis = 3_155_760_000_000;
const FRESH: Age = Age::Received { at: NOW, date: None };

fn reading(members: Value, spelling: Spelling, age: Age) -> Reading {
    read(members.as_object().unwrap(), spelling, age)
}

fn end(members: Value, age: Age) -> (Option<Millis>, Option<Millis>) {
    let Granted { lifetime, expires_at, .. } = reading(members, Spelling::Wire, age).granted;
    (lifetime, expires_at)
}

fn jwt(payload: Value) -> String {
    ["e30", &Base64UrlUnpadded::encode_string(payload.to_string().as_bytes()), "c2ln"].join(".")
}

#[test]
fn a_token_response_is_read_whole() {
    let id_token = jwt(json!({ "sub": "ann" }));
    let Reading { granted, flaw } = reading(
        json!({
            "access_token": "A1", "refresh_token": "R1", "expires_in": 3600, "token_type": "Bearer", "scope": "a b",
            "id_token": id_token, "device": { "__proto__": 1, "name": "d" }, "accessToken": "not this one",
        }),
        Spelling::Wire,
        FRESH,
    );
    assert_eq!(flaw, None);
    let extra = json!({ "device": { "name": "d" }, "accessToken": "not this one" }).as_object().cloned().unwrap();
    let expected = Granted {
        refresh_token: Some(Secret::new("R1")),
        access_token: Some(Secret::new("A1")),
        lifetime: Some(3_600_000),
        expires_at: None,
        token_type: Some("Bearer".into()),
        scope: Some("a b".into()),
        id_token: Some(Secret::new(id_token)),
        subject: Some("ann".into()),
        extra,
    };
    assert_eq!(granted, expected);
}

#[test]
fn a_lifetime_that_says_nothing_is_unknown() {
    for nothing in [json!(0), json!("0"), json!(-1), json!("never"), json!(null), json!(""), json!({}), json!(true)] {
        assert_eq!(end(json!({ "access_token": "A1", "expires_in": nothing }), FRESH), (None, None), "{nothing}");
    }
    assert_eq!(end(json!({ "expires_in": "3600" }), FRESH), (Some(3_600_000), None));
    assert_eq!(end(json!({ "expires_in": 1e300 }), FRESH), (Some(HUNDRED_YEARS), None));
}

#[test]
fn without_a_lifetime_a_moment_counts_if_it_is_ahead() {
    assert_eq!(end(json!({ "expires_at": 1_800_003_600 }), FRESH), (None, Some(NOW + 3_600_000)));
    assert_eq!(end(json!({ "expires_at": 1_800_003_600_000_i64 }), FRESH), (None, Some(NOW + 3_600_000)));
    assert_eq!(end(json!({ "expires_at": "1800003600" }), FRESH), (None, Some(NOW + 3_600_000)));
    assert_eq!(end(json!({ "expires_at": 1_700_000_000 }), FRESH), (None, None), "a clock is wrong");
    let wrong_clock = Age::Received { at: NOW + 86_400_000, date: Some(NOW) };
    assert_eq!(end(json!({ "expires_at": 1_800_003_600 }), wrong_clock), (Some(3_600_000), None));
    // From 1973 on a number is one of milliseconds; before that it would be.
    assert_eq!(end(json!({ "expires_at": 99_999_999_999_i64 }), Age::Unknown), (None, Some(2 * HUNDRED_YEARS)));
    assert_eq!(end(json!({ "expires_at": 100_000_000_000_i64 }), Age::Unknown), (None, Some(100_000_000_000)));
    assert_eq!(end(json!({ "expires_at": 1e300 }), Age::Unknown), (None, Some(2 * HUNDRED_YEARS)));
    assert_eq!(end(json!({ "expires_at": 0 }), Age::Unknown), (None, None), "zero is a missing one");
    let at_once = json!({ "expires_at": 1_800_000_000 });
    assert_eq!(end(at_once.clone(), FRESH), (None, None), "what ends now is no estimate");
    assert_eq!(end(at_once.clone(), Age::Received { at: 0, date: Some(NOW) }), (None, None));
    assert_eq!(end(at_once, Age::Received { at: 0, date: Some(NOW + 1_000) }), (None, None));
    assert_eq!(end(json!({ "expires_at": 1_700_000_000 }), Age::Unknown), (None, Some(1_700_000_000_000)));
}

#[test]
fn without_either_a_jwt_tells() {
    let token = jwt(json!({ "exp": 1_800_003_600, "iat": 1_800_000_000 }));
    assert_eq!(end(json!({ "access_token": token }), FRESH), (Some(3_600_000), None));
    assert_eq!(end(json!({ "access_token": "A1", "id_token": token }), FRESH), (Some(3_600_000), None));
    // Minted earlier and handed out again: less is left.
    let later = Age::Received { at: 0, date: Some(NOW + 3_000_000) };
    assert_eq!(end(json!({ "access_token": token }), later), (Some(600_000), None));
    let undated = jwt(json!({ "exp": 1_800_003_600 }));
    assert_eq!(end(json!({ "access_token": undated }), FRESH), (None, Some(NOW + 3_600_000)));
    let instant = jwt(json!({ "exp": 1_800_003_600, "iat": 1_800_003_600 }));
    assert_eq!(end(json!({ "access_token": instant }), FRESH), (None, Some(NOW + 3_600_000)), "no life at all is none");
    let past = jwt(json!({ "exp": 1_700_000_000 }));
    assert_eq!(end(json!({ "access_token": past }), FRESH), (None, None));
    assert_eq!(end(json!({ "access_token": past }), Age::Unknown), (None, Some(1_700_000_000_000)));
    assert_eq!(end(json!({ "access_token": token, "expires_in": 60 }), FRESH), (Some(60_000), None));
}

#[test]
fn both_spellings_are_read_where_both_are_allowed() {
    let given = json!({
        "accessToken": "A1", "refresh_token": "R1", "expiresAt": NOW + 60_000, "expires_in": 3600,
        "extra": { "a": 1, "b": 1 }, "b": 2, "constructor": 3,
    });
    let Reading { granted, flaw } = reading(given.clone(), Spelling::Either, Age::Unknown);
    assert_eq!(flaw, None);
    assert_eq!(granted.access_token, Some(Secret::new("A1")));
    assert_eq!(granted.refresh_token, Some(Secret::new("R1")));
    assert_eq!((granted.lifetime, granted.expires_at), (None, Some(NOW + 60_000)));
    assert_eq!(Value::Object(granted.extra), json!({ "a": 1, "b": 2 }));
    let granted = reading(given, Spelling::Either, FRESH).granted;
    assert_eq!((granted.lifetime, granted.expires_at), (Some(3_600_000), None));
}

#[test]
fn flaws_are_named_and_what_can_be_read_is_read() {
    let flaw = |members| reading(members, Spelling::Either, Age::Unknown).flaw.map(|flaw| (flaw.member, flaw.of_token));
    assert_eq!(flaw(json!({ "accessToken": "A1", "refreshToken": 7, "scope": 1 })), Some(("refreshToken", true)));
    assert_eq!(flaw(json!({ "access_token": {} })), Some(("access_token", true)));
    assert_eq!(flaw(json!({ "scope": {} })), Some(("scope", false)));
    assert_eq!(flaw(json!({ "scope": ["a", 1] })), Some(("scope", false)));
    assert_eq!(flaw(json!({ "expires_in": "soon" })), Some(("expires_in", false)));
    assert_eq!(flaw(json!({ "expiresAt": "2026-11-21T00:00:00Z" })), Some(("expiresAt", false)));
    assert_eq!(flaw(json!({ "accessToken": null, "refreshToken": "", "scope": ["a", "b"] })), None);
    let seconds = reading(json!({ "expiresAt": 1_800_003_600 }), Spelling::Either, Age::Unknown);
    assert_eq!(seconds.flaw.map(|flaw| flaw.member), Some("expiresAt"));
    assert_eq!(seconds.granted.expires_at, Some(NOW + 3_600_000), "nothing is lost by the mistake");
}
