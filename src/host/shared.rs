//! One promise that many callers share: made once, handed out as it is, settled once.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;

use super::settle::{call, invoke};

/// The promise, and the power to settle it.
#[derive(Clone)]
pub struct Shared(Rc<Inner>);

struct Inner {
    promise: Promise,
    resolve: JsValue,
    reject: JsValue,
    settled: Cell<bool>,
}

impl Shared {
    /// An open promise. It is marked as handled: a refusal in the background is nobody's unhandled rejection.
    pub fn new() -> Self {
        let (mut on_value, mut on_error) = (JsValue::UNDEFINED, JsValue::UNDEFINED);
        let promise = Promise::new(&mut |resolve, reject| {
            on_value = resolve.into();
            on_error = reject.into();
        });
        // To reject again what is settled does nothing, which makes it the handler we need.
        let _ = invoke(&promise, "then", &[&JsValue::UNDEFINED, &on_error]);
        Self(Rc::new(Inner { promise, resolve: on_value, reject: on_error, settled: Cell::new(false) }))
    }

    /// A promise that is rejected already.
    pub fn rejected(error: &JsValue) -> Promise {
        let shared = Self::new();
        shared.reject(error);
        shared.promise()
    }

    /// The promise itself: always the same object.
    pub fn promise(&self) -> Promise {
        self.0.promise.clone()
    }

    /// Fulfils it, if it is still open.
    pub fn resolve(&self, value: &JsValue) {
        self.settle(&self.0.resolve, value);
    }

    /// Rejects it, if it is still open.
    pub fn reject(&self, error: &JsValue) {
        self.settle(&self.0.reject, error);
    }

    fn settle(&self, how: &JsValue, with: &JsValue) {
        if !self.0.settled.replace(true) {
            let _ = call(how, &JsValue::UNDEFINED, &[with]);
        }
    }
}
