//! Randomness from the host.

use base64ct::{Base64UrlUnpadded, Encoding};
use js_sys::{Math, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use super::settle::invoke;
use crate::protocol::ports::Randomness;

/// The random numbers of the host.
pub struct HostRandomness {
    host: JsValue,
}

impl HostRandomness {
    /// Takes the host, of which `random(bytes)` is used.
    pub fn new(host: JsValue) -> Self {
        Self { host }
    }

    fn bytes<const COUNT: usize>(&self) -> [u8; COUNT] {
        let mut bytes = [0; COUNT];
        let drawn = invoke(&self.host, "random", &[&JsValue::from(COUNT as u32)]);
        match drawn.ok().and_then(|drawn| drawn.dyn_into::<Uint8Array>().ok()) {
            Some(drawn) if drawn.length() as usize == COUNT => drawn.copy_to(&mut bytes),
            // Nonces need to be different, not to be secret.
            _ => bytes.fill_with(|| (Math::random() * 256.0) as u8),
        }
        bytes
    }
}

impl Randomness for HostRandomness {
    fn nonce(&self) -> String {
        Base64UrlUnpadded::encode_string(&self.bytes::<16>())
    }

    fn per_mille(&self) -> u32 {
        u32::from_le_bytes(self.bytes::<4>()) % 1000
    }
}
