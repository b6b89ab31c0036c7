//! The user's `classify`: sees refusals only, and has the last word on them.
//!
//! It gets `{ class, reason?, spent, code, message, status?, error?, retryAfter?, headers?, body? }` and returns nothing
//! to agree, the name of another class, or `{ class?, reason?, spent?, retryAfter? }`. What it throws is ignored.

use std::rc::Rc;

use wasm_bindgen::JsValue;

use super::clock::HostClock;
use super::http::Reply;
use super::journal::Journal;
use super::object::Members;
use super::settle::{call, has_properties, own};
use crate::protocol::notice::{Notice, What};
use crate::protocol::ports::Observer;
use crate::protocol::tokens::Millis;
use crate::protocol::verdict::{Class, Reason, Refusal, Spent};

/// How long it may take, in milliseconds: the lock is held meanwhile.
const LIMIT: Millis = 1_000;
/// The longest cool-down it may ask for, in milliseconds: that of `Retry-After`.
const LONGEST_WAIT: f64 = 300_000.0;

/// The option `classify`.
pub struct Classify {
    function: Option<JsValue>,
    clock: Rc<HostClock>,
    journal: Rc<Journal>,
    session_key: String,
}

impl Classify {
    /// Without a function, every refusal stands.
    pub fn new(function: Option<JsValue>, clock: Rc<HostClock>, journal: Rc<Journal>, session_key: &str) -> Self {
        Self { function, clock, journal, session_key: session_key.to_owned() }
    }

    /// The refusal as the user sees it.
    pub async fn judge(&self, refusal: Refusal, reply: Option<&Reply>) -> Refusal {
        let Some(function) = &self.function else { return refusal };
        let called = call(function, &JsValue::UNDEFINED, &[&described(&refusal, reply)]);
        match self.clock.settle(LIMIT, called).await.map(|answer| overruled(&refusal, &answer)) {
            Ok(Some(overruled)) => overruled,
            _ => {
                let what = What::Degraded { what: "classify" };
                self.journal.notice(Notice { key: self.session_key.clone(), generation: 0, what });
                refusal
            }
        }
    }
}

fn described(refusal: &Refusal, reply: Option<&Reply>) -> JsValue {
    let reason = if let Class::Revoked(reason) = refusal.class { Some(reason.name()) } else { None };
    let spent = match refusal.spent {
        Spent::No => "no",
        Spent::Maybe => "maybe",
        Spent::Yes => "yes",
    };
    let headers = reply.map(|reply| {
        let set = |members: Members, (name, value): &(String, String)| members.set(name, value.as_str());
        reply.parts().headers.iter().fold(Members::new(), set).done()
    });
    Members::new()
        .set("class", refusal.class.name())
        .maybe("reason", reason)
        .set("spent", spent)
        .set("code", &*refusal.details.code)
        .set("message", refusal.details.message.as_str())
        .maybe("status", refusal.details.status.map(u32::from))
        .maybe("error", refusal.details.oauth_error.as_deref())
        .maybe("retryAfter", refusal.retry_after.map(|wait| wait as f64))
        .maybe("headers", headers)
        .maybe("body", reply.and_then(Reply::text))
        .done()
}

/// `None`: the answer is no answer.
fn overruled(refusal: &Refusal, answer: &JsValue) -> Option<Refusal> {
    if answer.is_undefined() || answer.is_null() {
        return Some(refusal.clone());
    }
    let member = |name| if has_properties(answer) { own(answer, name) } else { Ok(None) };
    let text = |name| Some(member(name).ok()?.map(|value| value.as_string().unwrap_or_default()));
    let mut overruled = refusal.clone();
    let class = if answer.is_string() { answer.as_string() } else { text("class")? };
    let reason = text("reason")?.map(|reason| Reason::named(&reason));
    match class.as_deref() {
        None if has_properties(answer) => {}
        Some("revoked") => {
            let known = if let Class::Revoked(reason) = refusal.class { reason } else { Reason::Unknown };
            overruled.class = Class::Revoked(reason.unwrap_or(known));
            overruled.spent = Spent::Yes;
        }
        Some("interaction") => overruled.class = Class::Interaction,
        Some("transient") => overruled.class = Class::Transient,
        Some("configuration") => overruled.class = Class::Configuration,
        _ => return None,
    }
    match text("spent")?.as_deref() {
        None => {}
        Some("no") => overruled.spent = Spent::No,
        Some("maybe") => overruled.spent = Spent::Maybe,
        Some("yes") => overruled.spent = Spent::Yes,
        Some(_) => return None,
    }
    if let Some(wait) = member("retryAfter").ok()? {
        overruled.retry_after = Some(wait.as_f64()?.clamp(0.0, LONGEST_WAIT) as Millis);
    }
    Some(overruled)
}
