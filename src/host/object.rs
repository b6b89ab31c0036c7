//! Plain JavaScript objects, built and frozen.

use js_sys::{JSON, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::settle::has_properties;

/// A plain object in the making.
pub struct Members(Object);

impl Members {
    /// An empty object.
    pub fn new() -> Self {
        Self(Object::new())
    }

    /// Sets a member.
    pub fn set(self, name: &str, value: impl Into<JsValue>) -> Self {
        // An ordinary object takes any member.
        let _ = Reflect::set(&self.0, &name.into(), &value.into());
        self
    }

    /// Sets a member, if there is a value for it.
    pub fn maybe(self, name: &str, value: Option<impl Into<JsValue>>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// The object.
    pub fn done(self) -> JsValue {
        self.0.into()
    }

    /// The object, frozen with all that is in it.
    pub fn frozen(self) -> JsValue {
        freeze(self.0.as_ref());
        self.done()
    }
}

/// The JSON of an object or array: its own members. `None` for anything else, and for what throws on the way.
pub fn json(value: &JsValue) -> Option<String> {
    if !has_properties(value) {
        return None;
    }
    let text: JsValue = JSON::stringify(value).ok()?.into();
    text.as_string()
}

/// Freezes a value of plain objects and arrays, all the way down.
fn freeze(value: &JsValue) {
    if !has_properties(value) {
        return;
    }
    let object = value.unchecked_ref::<Object>();
    for member in Object::values(object).iter() {
        freeze(&member);
    }
    Object::freeze(object);
}
