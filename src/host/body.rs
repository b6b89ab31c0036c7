//! The body of a reply: read while it streams, and no further than it may be long.
//!
//! Must not know whose `Response` it is: the host's, a polyfill's, or a mock that has `json()` and nothing else.

use js_sys::{Array, Function, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use super::object::json;
use super::settle::{Foreign, ignore, invoke, property, settle};
use crate::oauth::reply::LONGEST_BODY;
use crate::options::Value;

/// A body, as far as it was read.
pub enum Body {
    /// All of it.
    Text(String),
    /// It is longer than is good; nothing of it was kept.
    TooLarge,
    /// It ended before its time.
    Truncated,
}

/// Reads the body of a response.
pub async fn read(response: &JsValue) -> Body {
    let stream = property(response, "body").unwrap_or(JsValue::UNDEFINED);
    let read = match stream.has_method("getReader") {
        true => read_stream(&stream).await,
        false => read_whole(response).await,
    };
    // A reply that cannot be read is one that was lost on the way.
    read.unwrap_or(Body::Truncated)
}

async fn read_stream(stream: &JsValue) -> Result<Body, Foreign> {
    let reader = invoke(stream, "getReader", &[])?;
    let mut bytes = Vec::new();
    loop {
        let step = settle(invoke(&reader, "read", &[])).await?;
        if property(&step, "done")?.is_truthy() {
            return Ok(Body::Text(String::from_utf8_lossy(&bytes).into_owned()));
        }
        let chunk = property(&step, "value")?;
        let room = LONGEST_BODY.saturating_sub(bytes.len());
        if !append(&mut bytes, &chunk, room)? {
            ignore(invoke(&reader, "cancel", &[]));
            return Ok(Body::TooLarge);
        }
    }
}

/// Appends a chunk, from whatever realm it is. False: there is no room for it.
fn append(bytes: &mut Vec<u8>, chunk: &JsValue, room: usize) -> Result<bool, Foreign> {
    if let Some(text) = chunk.as_string() {
        bytes.extend_from_slice(text.as_bytes());
        return Ok(text.len() <= room);
    }
    let length = property(chunk, "byteLength")?.as_f64().unwrap_or(f64::INFINITY);
    if length > room as f64 {
        return Ok(false);
    }
    let class = property(&js_sys::global(), "Uint8Array")?;
    let class = class.dyn_ref::<Function>().ok_or(Foreign::Missing)?;
    let copy = Reflect::construct(class, &Array::of1(chunk)).map_err(Foreign::Threw)?;
    let copy = copy.dyn_into::<Uint8Array>().map_err(Foreign::Threw)?;
    if copy.length() as usize > room {
        return Ok(false);
    }
    bytes.extend_from_slice(&copy.to_vec());
    Ok(true)
}

async fn read_whole(response: &JsValue) -> Result<Body, Foreign> {
    let text = if response.has_method("text") {
        settle(invoke(response, "text", &[])).await?.as_string()
    } else if response.has_method("json") {
        let members = settle(invoke(response, "json", &[])).await?;
        json(&members)
    } else {
        None
    };
    let text = text.unwrap_or_default();
    Ok(if text.len() > LONGEST_BODY { Body::TooLarge } else { Body::Text(text) })
}
