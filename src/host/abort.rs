//! An abort signal of our own, for a call that may be given up.
//!
//! It is always aborted without a reason: a reason that is not an Error breaks fetch wrappers.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortController;

use super::settle::{invoke, property};

/// Aborts its signal when it is dropped, unless it was disarmed.
pub struct Abort {
    controller: JsValue,
}

impl Abort {
    /// A fresh signal. Where the host has no `AbortController`, the signal is `undefined`.
    pub fn new() -> Self {
        let controller = AbortController::new().map_or(JsValue::UNDEFINED, JsCast::unchecked_into);
        Self { controller }
    }

    /// What to pass on.
    pub fn signal(&self) -> JsValue {
        property(&self.controller, "signal").unwrap_or(JsValue::UNDEFINED)
    }

    /// The call has ended by itself.
    pub fn disarm(&mut self) {
        self.controller = JsValue::UNDEFINED;
    }
}

impl Drop for Abort {
    fn drop(&mut self) {
        // Listeners run inside; the language reports what they throw, and does not pass it on.
        let _ = invoke(&self.controller, "abort", &[]);
    }
}
