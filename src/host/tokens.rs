//! Token sets between JavaScript and Rust: what the user carries in, in either spelling, and the frozen set that goes out.

use js_sys::Object;
use serde::ser::{self, Serialize};
use serde_json::{Map, Value};
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

use super::object::{Members, json};
use super::settle::own;
use crate::oauth::jwt::claims;
use crate::oauth::token_set::{Age, Flaw, Spelling, read};
use crate::options::given::Wrong;
use crate::protocol::context::Carried;
use crate::protocol::tokens::{Extra, Millis, Secret, TokenSet};
use crate::protocol::verdict::Granted;

/// The life that is assumed of a kept token whose beginning nobody knows, in milliseconds. It only decides how long
/// before its end the token counts as stale.
const ASSUMED_LIFE: Millis = 3_600_000;

/// Where carried tokens come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// From a sign-in, just now.
    New,
    /// From a cookie or the like.
    Kept,
}

/// The tokens a user carries in. Own members only; names in either spelling.
pub fn carried(tokens: &JsValue, now: Millis, freshness: Freshness) -> Result<Carried, Wrong> {
    let members = members(tokens).ok_or_else(|| wrong("the tokens must be an object that can be written as JSON"))?;
    // As JSON they would be null, and so count as absent.
    for name in ["expires_in", "expiresIn", "expires_at", "expiresAt"] {
        let number = own(tokens, name).ok().flatten().and_then(|value| value.as_f64());
        if number.is_some_and(|number| !number.is_finite()) {
            return Err(wrong(&["`", name, "` of the tokens must be a finite number"].concat()));
        }
    }
    let reading = read(&members, Spelling::Either, Age::Unknown);
    if let Some(Flaw { member, rule, .. }) = reading.flaw {
        return Err(wrong(&["`", member, "` of the tokens ", rule].concat()));
    }
    let granted = reading.granted;
    let something = granted.access_token.is_some() || granted.refresh_token.is_some() || granted.expires_at.is_some();
    if !something {
        return Err(wrong("the tokens hold no access token, no refresh token and no `expiresAt`"));
    }
    let issued_at = issued_at(&granted, now, freshness);
    Ok(Carried { granted, issued_at, fixed: false })
}

/// The own members of an object.
pub fn members(object: &JsValue) -> Option<Map<String, Value>> {
    match serde_json::from_str(&json(object)?) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

/// The frozen token set that callers get.
pub fn to_js(tokens: &TokenSet) -> JsValue {
    let grant = &tokens.grant;
    let text = |secret: &Option<Secret>| secret.as_ref().map(|secret| JsValue::from(secret.expose()));
    Members::new()
        .maybe("accessToken", text(&grant.access_token))
        .maybe("refreshToken", text(&tokens.refresh_token))
        .set("expiresAt", grant.expires_at as f64)
        .maybe("tokenType", grant.token_type.as_deref())
        .maybe("scope", grant.scope.as_deref())
        .maybe("idToken", text(&grant.id_token))
        .set("extra", extra(&grant.extra))
        .frozen()
}

fn extra(extra: &Extra) -> JsValue {
    // Maps become plain objects.
    let written = PlainObject(extra).serialize(&Serializer::json_compatible());
    written.unwrap_or_else(|_| Object::new().into())
}

/// A JSON value as JavaScript reads it: every number is a double, also an id of twenty digits; and no name reaches a
/// prototype, whoever wrote the record.
struct Plain<'a>(&'a Value);

struct PlainObject<'a>(&'a Map<String, Value>);

impl Serialize for Plain<'_> {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Number(number) => serializer.serialize_f64(number.as_f64().unwrap_or(f64::NAN)),
            Value::Array(items) => serializer.collect_seq(items.iter().map(Plain)),
            Value::Object(members) => PlainObject(members).serialize(serializer),
            simple => simple.serialize(serializer),
        }
    }
}

impl Serialize for PlainObject<'_> {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let harmless =
            |(name, _): &(&String, &Value)| !matches!(name.as_str(), "__proto__" | "constructor" | "prototype");
        serializer.collect_map(self.0.iter().filter(harmless).map(|(name, value)| (name, Plain(value))))
    }
}

/// When the tokens were issued, as far as that can be known.
fn issued_at(granted: &Granted, now: Millis, freshness: Freshness) -> Millis {
    let told = granted.access_token.as_ref().and_then(|token| claims(token.expose()).issued_at);
    match (told, granted.expires_at) {
        // A lifetime counts from now: it is all that is known.
        (_, None) => now,
        (Some(told), Some(_)) => told.min(now),
        (None, Some(end)) if freshness == Freshness::Kept => now.min(end - ASSUMED_LIFE),
        (None, Some(_)) => now,
    }
}

fn wrong(message: &str) -> Wrong {
    Wrong { code: "invalid-tokens", message: message.to_owned() }
}
