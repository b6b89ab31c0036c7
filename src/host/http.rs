//! One POST through the injectable `fetch`, and its reply.
//!
//! gloo-net builds and checks the request with the host's own classes. It does not send it: its `send()` traps on
//! foreign errors and responses. `fetch` gets the parts as `(url, init)`, which every replacement of it understands.

use std::rc::Rc;

use gloo_net::http::{Headers, Request};
use wasm_bindgen::JsValue;

use super::abort::Abort;
use super::body::{self, Body};
use super::embedder::Embedder;
use super::object::Members;
use super::settle::{Foreign, invoke, own, property, settle};
use crate::oauth::reply;
use crate::oauth::request::FormRequest;
use crate::options::Value;

/// The headers of a reply that anybody looks at.
const READ: [&str; 6] =
    ["date", "dpop-nonce", "retry-after", "www-authenticate", "x-amzn-errortype", "x-rate-limit-reset"];

/// Header names and values.
type Fields = Vec<(String, String)>;

/// A reply, read to its end.
pub struct Reply {
    status: u16,
    redirected: bool,
    headers: Fields,
    body: Body,
}

impl Reply {
    /// The form in which it is judged.
    pub fn parts(&self) -> reply::Reply<'_> {
        let body = match &self.body {
            Body::Text(text) => reply::Body::Text(text),
            Body::TooLarge => reply::Body::TooLarge,
            Body::Truncated => reply::Body::Truncated,
        };
        reply::Reply { status: self.status, redirected: self.redirected, headers: &self.headers, body }
    }

    /// A header of those that are read, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The body's text, if it was read to its end.
    pub fn text(&self) -> Option<&str> {
        if let Body::Text(text) = &self.body { Some(text) } else { None }
    }
}

/// Why there is no reply.
pub enum NoReply {
    /// The request could not even be made.
    Unsendable(&'static str),
    /// `fetch` is not a function, threw or rejected.
    Failed(Foreign),
    /// What `fetch` resolved with is no response.
    NoResponse,
}

/// The `fetch` of one coordinator.
pub struct Fetch {
    embedder: Rc<Embedder>,
    /// Is it the user's? Then it need not be the host's global one.
    given: bool,
}

impl Fetch {
    /// `given`: the user plugged one in.
    pub fn new(embedder: Rc<Embedder>, given: bool) -> Self {
        Self { embedder, given }
    }

    fn call(&self, url: &str, init: &JsValue) -> Result<JsValue, Foreign> {
        if !self.given && !has("fetch") {
            return Err(Foreign::Missing);
        }
        invoke(self.embedder.object(), "fetch", &[&url.into(), init])
    }
}

/// Sends the request and reads the reply. `fetch` is called before the first suspension; dropping aborts it.
pub async fn post(fetch: &Fetch, url: &str, request: &FormRequest) -> Result<Reply, NoReply> {
    let (url, headers) = checked(url, request).map_err(NoReply::Unsendable)?;
    let mut abort = Abort::new();
    let init = init(headers, request, &abort);
    let response = settle(fetch.call(&url, &init)).await;
    let reply = read(&response.map_err(NoReply::Failed)?).await;
    abort.disarm();
    reply.ok_or(NoReply::NoResponse)
}

/// Is this a response, or a good imitation of one?
pub fn is_response(value: &JsValue) -> bool {
    let status = property(value, "status").is_ok_and(|status| status.as_f64().is_some());
    status && ["text", "json"].iter().any(|method| value.has_method(method))
}

/// Reads a response to its end.
pub async fn read(response: &JsValue) -> Option<Reply> {
    if !is_response(response) {
        return None;
    }
    let status = property(response, "status").ok()?.as_f64()?;
    let kind = property(response, "type").ok().and_then(|kind| kind.as_string());
    let headers = headers(&property(response, "headers").unwrap_or(JsValue::UNDEFINED));
    let body = body::read(response).await;
    Some(Reply { status: status as u16, redirected: kind.as_deref() == Some("opaqueredirect"), headers, body })
}

/// The headers of a reply: a `Headers` of whatever kind, or a plain object.
pub fn headers(headers: &JsValue) -> Fields {
    let one = |name: &&str| {
        let value = match headers.has_method("get") {
            true => invoke(headers, "get", &[&JsValue::from(*name)]).ok(),
            false => own(headers, name).ok().flatten(),
        };
        Some(((*name).to_owned(), value?.as_string()?))
    };
    READ.iter().filter_map(one).collect()
}

/// The request as the host understands it: the absolute URL, and the headers in the host's spelling.
fn checked(url: &str, request: &FormRequest) -> Result<(String, Fields), &'static str> {
    if !request.headers.iter().all(|(name, value)| is_token(name) && is_field_value(value)) {
        return Err("a header of the client authentication has a name or a value that HTTP does not allow");
    }
    if !(has("Headers") && has("Request")) {
        // A test environment without them, where `fetch` is a mock.
        return Ok((url.to_owned(), request.headers.clone()));
    }
    let headers = Headers::new();
    for (name, value) in &request.headers {
        headers.append(name, value);
    }
    let built = Request::post(url).headers(headers).body(request.body.expose());
    let built = built.map_err(|_| "the host does not accept the request")?;
    Ok((built.url(), built.headers().entries().collect()))
}

fn init(headers: Fields, request: &FormRequest, abort: &Abort) -> JsValue {
    let list = headers.into_iter().fold(Members::new(), |list, (name, value)| list.set(&name, value));
    let mut init = Members::new()
        .set("method", "POST")
        .set("headers", list.done())
        .set("body", request.body.expose())
        .set("redirect", "manual")
        .set("signal", abort.signal());
    // Some hosts throw when they are asked for what they do not have.
    let prototype = property(&js_sys::global(), "Request").and_then(|class| property(&class, "prototype"));
    let prototype = prototype.unwrap_or(JsValue::UNDEFINED);
    for (name, value) in [("cache", "no-store"), ("credentials", "omit"), ("referrerPolicy", "no-referrer")] {
        if prototype.is_object() && js_sys::Reflect::has(&prototype, &name.into()).unwrap_or(false) {
            init = init.set(name, value);
        }
    }
    init.done()
}

/// Has the host a global function or class of that name?
fn has(name: &str) -> bool {
    property(&js_sys::global(), name).is_ok_and(|global| global.is_function())
}

/// RFC 9110 section 5.6.2.
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// RFC 9110 section 5.5, without what is obsolete.
fn is_field_value(value: &str) -> bool {
    value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
}
