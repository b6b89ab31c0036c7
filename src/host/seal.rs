//! Sealing: what a store holds is AES-GCM text under a key derived from a secret the store never sees.
//!
//! In successor mode the secret is the presented token, in session mode the option `sealKey`. The key of the record and
//! its generation are bound to the text, so that no value can be put in the place of another.

use std::rc::Rc;

use wasm_bindgen::JsValue;

use super::clock::HostClock;
use super::embedder::Embedder;
use super::errors::cause;
use super::settle::{Foreign, invoke};
use crate::protocol::ports::{Address, StoreFailure};
use crate::protocol::tokens::{Millis, Secret};

/// Begins every sealed value; then come the generation, a dot, and what the host made of the text.
const HEADER: &str = "rc1.";

/// Seals and opens values.
pub struct Seal {
    embedder: Rc<Embedder>,
    key: Option<Secret>,
}

impl Seal {
    /// `key` is the option `sealKey`.
    pub fn new(embedder: Rc<Embedder>, key: Option<Secret>) -> Self {
        Self { embedder, key }
    }

    /// The secret under which the value at an address is sealed; `None`: it is not.
    pub fn secret<'a>(&'a self, at: &'a Address, is_session: bool) -> Option<&'a str> {
        let key = self.key.as_ref().filter(|_| is_session);
        at.seal.as_ref().or(key).map(Secret::expose)
    }

    /// Seals a text.
    pub async fn seal(
        &self,
        secret: &str,
        key: &str,
        generation: u64,
        text: &str,
        clock: &HostClock,
        limit: Millis,
    ) -> Result<String, StoreFailure> {
        let generation = generation.to_string();
        let sealed = self.ask("seal", secret, &context(key, &generation), text, clock, limit).await?;
        Ok([HEADER, &generation, ".", &sealed].concat())
    }

    /// Opens a sealed text.
    pub async fn open(
        &self,
        secret: &str,
        key: &str,
        value: String,
        clock: &HostClock,
        limit: Millis,
    ) -> Result<String, StoreFailure> {
        let Some((generation, sealed)) = value.strip_prefix(HEADER).and_then(|rest| rest.split_once('.')) else {
            return Err(unopened("the value in the store is not sealed, or not by this version of the package", None));
        };
        self.ask("open", secret, &context(key, generation), sealed, clock, limit).await
    }

    /// Lets a text pass that is not sealed.
    pub fn refuse_sealed(value: String) -> Result<String, StoreFailure> {
        if value.starts_with(HEADER) {
            return Err(unopened("the value in the store is sealed, and there is no `sealKey` to open it", None));
        }
        Ok(value)
    }

    async fn ask(
        &self,
        method: &str,
        secret: &str,
        context: &str,
        text: &str,
        clock: &HostClock,
        limit: Millis,
    ) -> Result<String, StoreFailure> {
        let called = invoke(self.embedder.object(), method, &[&secret.into(), &context.into(), &text.into()]);
        match clock.settle(limit, called).await.map(|answer| answer.as_string()) {
            Ok(Some(answer)) => Ok(answer),
            Err(Foreign::Threw(error)) => {
                Err(unopened("the value in the store does not open with this key", Some(&error)))
            }
            _ => Err(unopened("the host could not seal or open a value", None)),
        }
    }
}

/// What is authenticated beside the text.
fn context(key: &str, generation: &str) -> String {
    [key, ".", generation].concat()
}

fn unopened(message: &str, error: Option<&JsValue>) -> StoreFailure {
    StoreFailure { code: "store-sealed", message: message.to_owned(), cause: error.map(|error| cause(error, &[])) }
}
