//! Tells the JavaScript half before a panic traps, so that it can reject every open promise and start afresh.

use std::cell::RefCell;
use std::sync::Once;

use wasm_bindgen::JsValue;

use super::embedder::Embedder;
use super::settle::invoke;

thread_local! {
    static EMBEDDER: RefCell<Option<Embedder>> = const { RefCell::new(None) };
}

/// From now on a panic is reported through this embedder. All embedders of one instance lead to the same place.
pub fn report_to(embedder: &Embedder) {
    static HOOK: Once = Once::new();
    EMBEDDER.set(Some(embedder.clone()));
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            // The place only: a message may quote what must not be told.
            let place = panic.location().map_or_else(String::new, ToString::to_string);
            let message = ["the core panicked at ", &place].concat();
            if let Some(embedder) = EMBEDDER.try_with(|embedder| embedder.take()).unwrap_or_default() {
                let _ = invoke(embedder.object(), "crashed", &[&JsValue::from(message)]);
            }
        }));
    });
}
