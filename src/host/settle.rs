//! The one way to call code of others: a value, a promise, a thenable, a throw, a missing method, a getter or a proxy
//! that throws, all become a result.
//!
//! Every call into a store, a lock, a clock, a callback or the JavaScript half of the package goes through here. An
//! exception that crosses wasm frames would leave the promise of a flight unsettled for ever.

use std::future::Future;

use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// How a call into foreign code failed.
#[derive(Debug)]
pub enum Foreign {
    /// There is no such function.
    Missing,
    /// It threw or rejected, with this.
    Threw(JsValue),
    /// It did not settle in time.
    TimedOut,
}

/// Calls a function.
pub fn call(function: &JsValue, this: &JsValue, arguments: &[&JsValue]) -> Result<JsValue, Foreign> {
    let Some(function) = function.dyn_ref::<Function>() else { return Err(Foreign::Missing) };
    let list = Array::new();
    for argument in arguments {
        list.push(argument);
    }
    Reflect::apply(function, this, &list).map_err(Foreign::Threw)
}

/// Calls a method, own or inherited.
pub fn invoke(this: &JsValue, method: &str, arguments: &[&JsValue]) -> Result<JsValue, Foreign> {
    call(&property(this, method)?, this, arguments)
}

/// Reads a property, own or inherited; `undefined` from anything that has no properties.
pub fn property(object: &JsValue, name: &str) -> Result<JsValue, Foreign> {
    if !has_properties(object) {
        return Ok(JsValue::UNDEFINED);
    }
    Reflect::get(object, &name.into()).map_err(Foreign::Threw)
}

/// Reads an own property. `None` if there is none, or if it is `undefined`.
pub fn own(object: &JsValue, name: &str) -> Result<Option<JsValue>, Foreign> {
    if !has_properties(object) {
        return Ok(None);
    }
    let name = JsValue::from(name);
    let descriptor = Reflect::get_own_property_descriptor(object.unchecked_ref::<Object>(), &name);
    if descriptor.map_err(Foreign::Threw)?.is_undefined() {
        return Ok(None);
    }
    let value = Reflect::get(object, &name).map_err(Foreign::Threw)?;
    Ok((!value.is_undefined()).then_some(value))
}

/// Is the value an object or a function?
pub fn has_properties(value: &JsValue) -> bool {
    value.is_object() || value.is_function()
}

/// Follows what a call returned to its end.
///
/// The value is resolved by a promise of our own, which is what makes any thenable harmless: the language lets it settle
/// once, and ignores what it does afterwards. Handlers are attached at once, so that a rejection nobody waits for any
/// more is not reported as unhandled.
pub fn settle(called: Result<JsValue, Foreign>) -> impl Future<Output = Result<JsValue, Foreign>> {
    let pending = called.map(|value| match has_properties(&value) {
        true => Err(JsFuture::from(resolved(&value))),
        false => Ok(value),
    });
    async move {
        match pending? {
            Ok(value) => Ok(value),
            Err(future) => future.await.map_err(Foreign::Threw),
        }
    }
}

/// Calls whose result nobody needs. If it is a promise that rejects, that is nobody's unhandled rejection.
pub fn ignore(called: Result<JsValue, Foreign>) {
    drop(settle(called));
}

/// A genuine promise for a value. `Promise.resolve` would hand a promise with a tampered `then` back as it is.
fn resolved(value: &JsValue) -> Promise {
    Promise::new(&mut |resolve, _reject| {
        // The resolve function of the language never throws.
        let _ = resolve.call1(&JsValue::UNDEFINED, value);
    })
}
