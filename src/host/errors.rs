//! Failures as JavaScript errors, made by the one factory of the JavaScript half; and what is kept of foreign errors.

use std::rc::Rc;

use js_sys::{Error, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::embedder::Embedder;
use super::object::Members;
use super::settle::property;
use crate::oauth::redact::redact;
use crate::options::given::Wrong;
use crate::protocol::failure::Failure;
use crate::protocol::tokens::Millis;
use crate::protocol::verdict::{Cause, Details, Fault, Reason, Spent};

/// How deep a chain of causes is followed.
const DEPTH: u32 = 3;

/// The error of the class that belongs to the failure.
pub fn raise(embedder: &Embedder, failure: &Failure) -> JsValue {
    let (kind, spent, details) = match failure {
        Failure::Revoked { details, .. } => ("revoked", Spent::Yes, details),
        Failure::Interaction { spent, details } => ("interaction", *spent, details),
        Failure::Transient { spent, details, .. } => ("transient", *spent, details),
        Failure::Configuration { spent, details } => ("configuration", *spent, details),
        Failure::NoSession { details } => ("no-session", Spent::No, details),
        Failure::Store { details } => ("store", Spent::No, details),
    };
    let retry_at = if let Failure::Transient { retry_at, .. } = failure { *retry_at } else { None };
    let reason = if let Failure::Revoked { reason, .. } = failure { Some(*reason) } else { None };
    embedder.error(kind, &fields(&failure.to_string(), spent, details, retry_at, reason))
}

/// The `ConfigurationError` for a wrong option or argument.
pub fn raise_wrong(embedder: &Embedder, wrong: &Wrong) -> JsValue {
    let details = Details::new(Fault::Caller, wrong.code, "");
    embedder.error("configuration", &fields(&wrong.message, Spent::No, &details, None, None))
}

fn fields(message: &str, spent: Spent, details: &Details, retry_at: Option<Millis>, reason: Option<Reason>) -> JsValue {
    let cause = details.cause.as_ref().and_then(|cause| cause.0.downcast_ref::<JsValue>());
    Members::new()
        .set("message", message)
        .maybe("code", Some(&*details.code).filter(|code| !code.is_empty()))
        .set("fault", details.fault.name())
        .set("spent", spent_name(spent))
        .maybe("status", details.status.map(u32::from))
        .maybe("oauthError", details.oauth_error.as_deref())
        .maybe("retryAt", retry_at.map(|at| at as f64))
        .maybe("reason", reason.map(Reason::name))
        .maybe("cause", cause)
        .done()
}

fn spent_name(spent: Spent) -> &'static str {
    match spent {
        Spent::No => "no",
        Spent::Maybe => "maybe",
        Spent::Yes => "yes",
    }
}

/// What is kept of a foreign error: a fresh Error with its name, its code and a redacted message. Errors of HTTP
/// clients carry the request, and with it the token, in properties of their own.
pub fn cause(error: &JsValue, secrets: &[&str]) -> Cause {
    Cause(Rc::new(copy(error, secrets, DEPTH)))
}

fn copy(error: &JsValue, secrets: &[&str], depth: u32) -> JsValue {
    let read = |name| property(error, name).unwrap_or(JsValue::UNDEFINED);
    let text = |value: JsValue| value.as_string().map(|text| redact(&text, secrets));
    let message = text(error.clone()).or_else(|| text(read("message")));
    let copied = Error::new(message.as_deref().unwrap_or("something that is not an Error was thrown"));
    let set = |name: &str, value: &JsValue| drop(Reflect::set(&copied, &name.into(), value));
    if let Some(name) = text(read("name")) {
        set("name", &name.into());
    }
    let code = read("code");
    match text(code.clone()) {
        Some(code) => set("code", &code.into()),
        None if code.as_f64().is_some() => set("code", &code),
        None => {}
    }
    let inner = read("cause");
    if depth > 0 && (inner.is_instance_of::<Error>() || inner.is_object()) {
        set("cause", &copy(&inner, secrets, depth - 1));
    }
    copied.into()
}
