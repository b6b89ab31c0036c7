//! The custom `refresh`: called with the token of the record just read, and what it returns or throws is judged.

use serde_json::{Map, Value};
use wasm_bindgen::JsValue;

use super::abort::Abort;
use super::clock::HostClock;
use super::embedder::Embedder;
use super::endpoint::scope;
use super::errors::cause;
use super::http::{self, Reply};
use super::object::Members;
use super::settle::{Foreign, call, property, settle};
use super::tokens::members;
use crate::oauth::judge::{judge, judge_returned, judge_thrown};
use crate::oauth::redact::{leaks, redact};
use crate::oauth::reply::Facts;
use crate::oauth::transport;
use crate::protocol::ports::{Clock, Params, Presentation};
use crate::protocol::tokens::{Millis, Secret};
use crate::protocol::verdict::{Class, Details, Fault, Granted, Reason, Refusal, Spent, Verdict};

/// The longest code of a foreign error that is told.
const CODE: usize = 64;

/// What became of the call.
pub enum Judged {
    /// It brought tokens.
    Granted(Box<Granted>),
    /// It did not; with the reply, if there was one.
    Refused(Refusal, Option<Reply>),
}

/// Calls `refresh({ refreshToken?, params, signal, attempt, deadline })`, before the first suspension.
pub async fn present(
    refresh: &JsValue,
    embedder: &Embedder,
    clock: &HostClock,
    timeout: Millis,
    presentation: &Presentation<'_>,
) -> Judged {
    let mut abort = Abort::new();
    let argument = Members::new()
        .maybe("refreshToken", presentation.refresh_token.map(Secret::expose))
        .set("params", parameters(presentation.params))
        .set("signal", abort.signal())
        .set("attempt", presentation.attempt)
        .set("deadline", presentation.deadline as f64)
        .done();
    let exchange = async {
        match settle(call(refresh, &JsValue::UNDEFINED, &[&argument])).await {
            Ok(value) => Ended::Returned(http::read(&value).await, value),
            Err(Foreign::Threw(error)) => Ended::Threw(reply_behind(&error).await, error),
            Err(_) => Ended::Threw(None, JsValue::UNDEFINED),
        }
    };
    let ended = clock.within(timeout, exchange).await;
    if ended.is_ok() {
        abort.disarm();
    }
    let secrets: Vec<&str> = presentation.refresh_token.map(Secret::expose).into_iter().collect();
    let facts = Facts {
        client_authenticated: false,
        token_sent: presentation.refresh_token.is_some(),
        scope: scope(presentation.params),
        secrets: &secrets,
        received_at: clock.wall(),
    };
    match ended {
        Err(_) => Judged::Refused(transport::timed_out(&facts), None),
        Ok(Ended::Returned(Some(reply), _)) => judged(judge(&reply.parts(), &facts), Some(reply)),
        Ok(Ended::Returned(None, value)) if !value.is_object() => Judged::Refused(nothing(), None),
        Ok(Ended::Returned(None, value)) => judged(judge_returned(&members(&value).unwrap_or_default(), &facts), None),
        Ok(Ended::Threw(reply, error)) => {
            let (mut refusal, reply) = thrown(embedder, &error, reply, &facts);
            refusal.details.cause = Some(cause(&error, &secrets));
            Judged::Refused(refusal, reply)
        }
    }
}

/// Whatever the function did, it did not say what came of it.
fn nothing() -> Refusal {
    let message = "the custom `refresh` returned no object: it must return a Response or a token set";
    let details = Details::new(Fault::Caller, "refresh-returned-nothing", message);
    Refusal { class: Class::Transient, spent: Spent::Maybe, details, retry_after: None }
}

enum Ended {
    Returned(Option<Reply>, JsValue),
    Threw(Option<Reply>, JsValue),
}

fn judged(verdict: Verdict, reply: Option<Reply>) -> Judged {
    match verdict {
        Verdict::Granted(granted) => Judged::Granted(granted),
        Verdict::Refused(refusal) => Judged::Refused(*refusal, reply),
    }
}

/// Our own classes stand; an error that carries a reply, a status or an error code is judged by that.
fn thrown(embedder: &Embedder, error: &JsValue, reply: Option<Reply>, facts: &Facts<'_>) -> (Refusal, Option<Reply>) {
    if let Some(fields) = embedder.brand(error) {
        return (branded(&fields, facts), None);
    }
    if let Some(reply) = reply
        && let Verdict::Refused(refusal) = judge(&reply.parts(), facts)
    {
        return (*refusal, Some(reply));
    }
    let response = read(error, "response");
    let number = |of: &JsValue, name| read(of, name).as_f64().filter(|status| (100.0..600.0).contains(status));
    let status =
        ["status", "statusCode"].into_iter().find_map(|name| number(error, name).or_else(|| number(&response, name)));
    let mut found = members(error).unwrap_or_default();
    for data in [read(error, "body"), read(error, "data"), read(&response, "body"), read(&response, "data")] {
        found.extend(parsed(&data));
    }
    if status.is_none() && !found.contains_key("error") {
        found = Map::new();
    }
    let headers = [&response, error].into_iter().map(|of| http::headers(&read(of, "headers")));
    let headers = headers.fold(Vec::new(), |all, some| if all.is_empty() { some } else { all });
    (judge_thrown(status.map(|status| status as u16), &headers, &found, facts), None)
}

/// The reply that an error carries unread, as those of some HTTP clients do.
async fn reply_behind(error: &JsValue) -> Option<Reply> {
    let response = read(error, "response");
    if read(&response, "bodyUsed").as_bool() == Some(false) { http::read(&response).await } else { None }
}

/// A body that a client has read: an object, or its text.
fn parsed(data: &JsValue) -> Map<String, Value> {
    let read = match data.as_string().map(|text| serde_json::from_str(&text)) {
        Some(Ok(Value::Object(members))) => Some(members),
        _ => members(data),
    };
    read.unwrap_or_default()
}

/// What one of our own errors says, from whatever copy of the package. "No session" ends ours; a store or a core that
/// failed over there says nothing about it.
fn branded(fields: &JsValue, facts: &Facts<'_>) -> Refusal {
    let text = |name| read(fields, name).as_string();
    let class = match text("kind").as_deref() {
        Some("revoked") => Class::Revoked(Reason::named(&text("reason").unwrap_or_default())),
        Some("no-session") => Class::Revoked(Reason::Unknown),
        Some("interaction") => Class::Interaction,
        Some("configuration") => Class::Configuration,
        _ => Class::Transient,
    };
    let spent = match text("spent").as_deref() {
        Some("no") => Spent::No,
        Some("yes") => Spent::Yes,
        _ => Spent::Maybe,
    };
    let message = redact(&text("message").unwrap_or_default(), facts.secrets);
    let fault = text("fault").and_then(|name| Fault::named(&name)).unwrap_or(Fault::Server);
    let code = text("code").filter(|code| code.len() <= CODE && !leaks(code, facts.secrets)).unwrap_or_default();
    let mut details = Details::new(fault, code, message);
    details.status = read(fields, "status").as_f64().map(|status| status as u16);
    details.oauth_error = text("oauthError").map(|error| redact(&error, facts.secrets));
    let retry_after =
        read(fields, "retryAt").as_f64().map(|at| (at as Millis).saturating_sub(facts.received_at).clamp(0, 300_000));
    Refusal { class, spent, details, retry_after }
}

/// Names that are given more than once become lists.
fn parameters(params: &Params) -> JsValue {
    let mut members = Members::new();
    for (index, (name, value)) in params.iter().enumerate() {
        let same: Vec<JsValue> =
            params.iter().filter(|(other, _)| other == name).map(|(_, value)| JsValue::from(value.as_str())).collect();
        if same.len() == 1 {
            members = members.set(name, value.as_str());
        } else if params.iter().position(|(other, _)| other == name) == Some(index) {
            members = members.set(name, same.into_iter().collect::<js_sys::Array>());
        }
    }
    members.done()
}

fn read(of: &JsValue, name: &str) -> JsValue {
    property(of, name).unwrap_or(JsValue::UNDEFINED)
}
