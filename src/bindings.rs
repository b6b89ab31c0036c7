//! The exported class, and nothing else: each member hands over to the coordinator.
//!
//! Its TypeScript interface is `Core` in `js/core.ts`.

use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::host::coordinator::Coordinator;

/// One coordinator. `free()` lets go of it; what is under way ends all the same.
#[wasm_bindgen]
pub struct RefreshCoordinator {
    coordinator: Rc<Coordinator>,
}

#[wasm_bindgen]
impl RefreshCoordinator {
    /// Checks the user's options and takes up the host.
    ///
    /// # Errors
    /// A `ConfigurationError` that names the option.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue, host: JsValue) -> Result<RefreshCoordinator, JsValue> {
        Ok(Self { coordinator: Coordinator::new(options, host)? })
    }

    /// The number of these request parameters; 0 if there are none but those of the options.
    ///
    /// # Errors
    /// A `ConfigurationError` that names the parameter.
    pub fn params(&self, params: &JsValue) -> Result<u32, JsValue> {
        self.coordinator.number(params)
    }

    /// Session mode: the shared promise of a token set that meets the need.
    pub fn flight(&self, need: u32, params: u32, other: Option<String>) -> Promise {
        self.coordinator.flight(need, params, other)
    }

    /// Session mode, after a hint: the token set that is in the record, if it is valid. Asks nobody for anything.
    pub fn look(&self) -> Promise {
        self.coordinator.look()
    }

    /// Successor mode: the shared promise of a token set that is current for these tokens and meets the need. `fixed`: the
    /// caller cannot store it.
    pub fn renew(&self, tokens: &JsValue, need: u32, params: u32, fixed: bool) -> Promise {
        self.coordinator.renew(tokens, need, params, fixed)
    }

    /// Sign-in.
    #[wasm_bindgen(js_name = setTokens)]
    pub fn set_tokens(&self, tokens: &JsValue) -> Promise {
        self.coordinator.set_tokens(tokens)
    }

    /// Sign-out: of the session, or of the tokens given.
    #[wasm_bindgen(js_name = signOut)]
    pub fn sign_out(&self, tokens: &JsValue) -> Promise {
        self.coordinator.sign_out(tokens)
    }

    /// Works off what waits for revocation.
    #[wasm_bindgen(js_name = drainRevocations)]
    pub fn drain_revocations(&self) -> Promise {
        self.coordinator.drain()
    }

    /// What was counted.
    pub fn stats(&self) -> JsValue {
        self.coordinator.stats()
    }

    /// This context may have missed what others said: it was frozen, hidden or offline.
    pub fn wake(&self) {
        self.coordinator.wake();
    }

    /// Something of the host works less well than it should.
    pub fn degraded(&self, what: &str) {
        self.coordinator.degraded(what);
    }

    /// Takes no new calls.
    pub fn close(&self) {
        self.coordinator.close();
    }
}
