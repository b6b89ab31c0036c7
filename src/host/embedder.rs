//! The JavaScript half of the package, as the core sees it: its error factory, its events, its mirror.

use wasm_bindgen::JsValue;

use super::object::Members;
use super::settle::{has_properties, invoke, property};
use crate::protocol::tokens::Millis;

/// The object that the JavaScript half hands to the constructor.
#[derive(Clone)]
pub struct Embedder {
    host: JsValue,
}

/// What the mirror keeps of a fresh token set.
pub struct Hold<'a> {
    /// The number of the request parameters.
    pub params: u32,
    /// The frozen token set.
    pub tokens: &'a JsValue,
    /// The session's generation.
    pub generation: u64,
    /// The session.
    pub sid: &'a str,
    /// End of the access token: wall clock, milliseconds since the epoch.
    pub expires_at: Millis,
    /// The same on the monotonic clock.
    pub expires_monotonic: Millis,
    /// The mandatory window of this grant in milliseconds.
    pub mandatory: Millis,
    /// The advisory window of this grant in milliseconds.
    pub advisory: Millis,
    /// A hint came after they were read: they may be told of, but not kept.
    pub overtaken: bool,
}

impl Embedder {
    /// Takes the object.
    pub fn new(host: JsValue) -> Self {
        Self { host }
    }

    /// A member of the object; `undefined` if there is none.
    pub fn member(&self, name: &str) -> JsValue {
        property(&self.host, name).unwrap_or(JsValue::UNDEFINED)
    }

    /// The object itself.
    pub fn object(&self) -> &JsValue {
        &self.host
    }

    /// An error of the class that belongs to the kind.
    pub fn error(&self, kind: &str, fields: &JsValue) -> JsValue {
        let made = invoke(&self.host, "error", &[&kind.into(), fields]);
        made.unwrap_or_else(|_| js_sys::Error::new("the error class could not be made").into())
    }

    /// Kind and fields of an error, if it is one of our classes, from any copy of the package.
    pub fn brand(&self, error: &JsValue) -> Option<JsValue> {
        invoke(&self.host, "brand", &[error]).ok().filter(has_properties)
    }

    /// Hands an event over. It is delivered later.
    pub fn emit(&self, event: &JsValue) {
        let _ = invoke(&self.host, "emit", &[event]);
    }

    /// A presentation is over, for the browser's performance panel and for metrics. Moments of the host's monotonic clock.
    pub fn presented(&self, start: f64, end: f64, outcome: &str, verdict: &str) {
        let _ = invoke(&self.host, "presented", &[&start.into(), &end.into(), &outcome.into(), &verdict.into()]);
    }

    /// Fills the mirror.
    pub fn hold(&self, hold: &Hold<'_>) {
        let held = Members::new()
            .set("params", hold.params)
            .set("tokens", hold.tokens)
            .set("generation", hold.generation as f64)
            .set("sid", hold.sid)
            .set("expiresAt", hold.expires_at as f64)
            .set("expiresMonotonic", hold.expires_monotonic as f64)
            .set("mandatory", hold.mandatory as f64)
            .set("advisory", hold.advisory as f64)
            .set("overtaken", hold.overtaken)
            .done();
        let _ = invoke(&self.host, "hold", &[&held]);
    }

    /// The user signs out here.
    pub fn leave(&self) {
        let _ = invoke(&self.host, "leave", &[]);
    }

    /// A token set belongs to this session.
    pub fn belongs(&self, tokens: &JsValue, sid: &str) {
        let _ = invoke(&self.host, "belongs", &[tokens, &sid.into()]);
    }

    /// Empties the mirror, and nothing else: for what comes too often to be looked into each time.
    pub fn doubt(&self) {
        let _ = invoke(&self.host, "doubt", &[]);
    }

    /// Empties the mirror. If anybody is looking, the record is looked at.
    pub fn forget(&self) {
        let _ = invoke(&self.host, "drop", &[]);
    }
}
