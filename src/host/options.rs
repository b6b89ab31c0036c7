//! Values and URLs of JavaScript, as the rules of [`crate::options`] look at them.

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::embedder::Embedder;
use super::settle::property;
use crate::options::given::Wrong;
use crate::options::{self, Surroundings, Threw, Value};

/// The options of one coordinator, with what the user plugged in.
pub type Options = options::Options<JsValue>;

/// Reads and checks the object that the user gave.
pub fn read(options: &JsValue, embedder: &Embedder) -> Result<Options, Wrong> {
    let surroundings = Surroundings {
        location: embedder.member("location").as_string(),
        locks: embedder.member("locks"),
        session_store: property(&embedder.member("stores"), "session").unwrap_or(JsValue::UNDEFINED),
    };
    Options::read(options, &surroundings)
}

impl Value for JsValue {
    type Url = web_sys::Url;

    fn is_undefined(&self) -> bool {
        self.is_undefined()
    }

    fn is_function(&self) -> bool {
        self.is_function()
    }

    fn text(&self) -> Option<String> {
        self.as_string()
    }

    fn number(&self) -> Option<f64> {
        self.as_f64()
    }

    fn flag(&self) -> Option<bool> {
        self.as_bool()
    }

    fn items(&self) -> Option<impl Iterator<Item = Self>> {
        self.dyn_ref::<Array>().map(Array::iter)
    }

    fn members(&self) -> Result<Option<Vec<(String, Self)>>, Threw> {
        if !self.is_object() || Array::is_array(self) {
            return Ok(None);
        }
        let mut members = Vec::new();
        for key in Reflect::own_keys(self.unchecked_ref::<Object>()).map_err(|_| Threw)?.iter() {
            if let Some(name) = key.as_string() {
                members.push((name, Reflect::get(self, &key).map_err(|_| Threw)?));
            }
        }
        Ok(Some(members))
    }

    fn property(&self, name: &str) -> Result<Self, Threw> {
        property(self, name).map_err(|_| Threw)
    }
}

impl options::Url for web_sys::Url {
    fn parse(text: &str, base: Option<&str>) -> Option<Self> {
        match base {
            None => Self::new(text),
            Some(base) => Self::new_with_base(text, base),
        }
        .ok()
    }

    fn href(&self) -> String {
        self.href()
    }

    fn origin(&self) -> String {
        self.origin()
    }

    fn protocol(&self) -> String {
        self.protocol()
    }

    fn hostname(&self) -> String {
        self.hostname()
    }

    fn username(&self) -> String {
        self.username()
    }

    fn password(&self) -> String {
        self.password()
    }

    fn hash(&self) -> String {
        self.hash()
    }
}
