//! The store: the user's versioned register, with a time limit on every call and a check of everything that comes back.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsValue;

use super::clock::HostClock;
use super::errors::cause;
use super::object::Members;
use super::seal::Seal;
use super::settle::{Foreign, invoke, own, property};
use crate::options::given::Wrong;
use crate::options::ports::{Scope, lag, scope};
use crate::protocol::ports::{Address, Store, StoreFailure, Versioned, Written};
use crate::protocol::record::UNOPENED;
use crate::protocol::tokens::Millis;

/// The store of one coordinator: one object for the session's record, one for those of successor mode. Mostly the same.
pub struct HostStore {
    session: JsValue,
    successor: JsValue,
    session_key: String,
    scopes: (Scope, Scope),
    lag: Millis,
    limit: Millis,
    seal: Seal,
    clock: Rc<HostClock>,
    /// The value that last went through the store's hands: it must not come back in an error.
    last: RefCell<String>,
}

impl HostStore {
    /// Takes `{ session, successor }`. Every call into either gets `limit` milliseconds.
    pub fn new(
        session: JsValue,
        successor: JsValue,
        session_key: &str,
        limit: Millis,
        seal: Seal,
        clock: Rc<HostClock>,
    ) -> Result<Self, Wrong> {
        let reach = |store| scope(store, "store.scope", Scope::Context);
        let scopes = (reach(&session)?, reach(&successor)?);
        let lag = lag(&session, "store.lag")?.max(lag(&successor, "store.lag")?);
        Ok(Self {
            session,
            successor,
            session_key: session_key.to_owned(),
            scopes,
            lag,
            limit,
            seal,
            clock,
            last: RefCell::default(),
        })
    }

    /// The object that holds a key's value.
    pub fn of(&self, key: &str) -> &JsValue {
        if key == self.session_key { &self.session } else { &self.successor }
    }

    /// How far the value of a key is shared.
    pub fn scope(&self, key: &str) -> Scope {
        if key == self.session_key { self.scopes.0 } else { self.scopes.1 }
    }

    async fn call(&self, at: &Address, method: &str, arguments: &[&JsValue]) -> Result<JsValue, Foreign> {
        self.clock.settle(self.limit, invoke(self.of(&at.key), method, arguments)).await
    }

    fn failed(&self, method: &str, foreign: Foreign) -> StoreFailure {
        failed(method, foreign, self.last.borrow().as_str())
    }

    fn secret<'a>(&'a self, at: &'a Address) -> Option<&'a str> {
        self.seal.secret(at, at.key == self.session_key)
    }
}

impl Store for HostStore {
    async fn read(&self, at: &Address) -> Result<Option<Versioned>, StoreFailure> {
        let found = match self.call(at, "read", &[&at.key.as_str().into()]).await {
            Ok(found) => found,
            Err(foreign) => {
                return unopened(&foreign).map(Some).ok_or_else(|| self.failed("read", foreign));
            }
        };
        if found.is_undefined() || found.is_null() {
            return Ok(None);
        }
        let member = |name| own(&found, name).ok().flatten().and_then(|member| member.as_string());
        let (Some(value), Some(version)) = (member("value"), member("version")) else {
            return Err(garbage("`read` must return `{ value, version }`, both strings, or undefined"));
        };
        self.last.replace(value.clone());
        let opened = match self.secret(at) {
            Some(secret) => self.seal.open(secret, &at.key, value, &self.clock, self.limit).await,
            None => Seal::refuse_sealed(value),
        };
        match opened {
            Ok(value) => Ok(Some(Versioned { value, version })),
            // The option `sealKey` is another one than before, say: a sign-in may replace what lies there, and nothing else may.
            Err(_) if at.key == self.session_key => Ok(Some(Versioned { value: UNOPENED.to_owned(), version })),
            Err(failure) => Err(failure),
        }
    }

    async fn write(
        &self,
        at: &Address,
        value: &str,
        generation: u64,
        if_version: Option<&str>,
        ttl: Option<Millis>,
    ) -> Result<Written, StoreFailure> {
        let sealed;
        let value = match self.secret(at) {
            Some(secret) => {
                sealed = self.seal.seal(secret, &at.key, generation, value, &self.clock, self.limit).await?;
                sealed.as_str()
            }
            None => value,
        };
        self.last.replace(value.to_owned());
        let conditions = Members::new()
            .set("ifVersion", if_version.map_or(JsValue::NULL, JsValue::from))
            .maybe("ttl", ttl.map(|ttl| ttl as f64))
            .done();
        let written = self.call(at, "write", &[&at.key.as_str().into(), &value.into(), &conditions]).await;
        let written = written.map_err(|foreign| self.failed("write", foreign))?;
        match written.as_string() {
            Some(version) => Ok(Written::Done(version)),
            None if written.is_undefined() => Ok(Written::Conflict),
            None => Err(garbage("`write` must return the new version, a string, or undefined for a conflict")),
        }
    }

    fn lag(&self) -> Millis {
        self.lag
    }
}

/// What one of our stores has sealed, and can no longer open. It names the version, so that a sign-in can replace it.
fn unopened(foreign: &Foreign) -> Option<Versioned> {
    let Foreign::Threw(error) = foreign else { return None };
    let member = |name| property(error, name).ok().and_then(|member| member.as_string());
    let version = member("code").filter(|code| code == "store-sealed").and_then(|_| member("version"))?;
    Some(Versioned { value: UNOPENED.to_owned(), version })
}

fn garbage(message: &str) -> StoreFailure {
    StoreFailure { code: "store-garbage", message: message.to_owned(), cause: None }
}

fn failed(method: &str, foreign: Foreign, secret: &str) -> StoreFailure {
    let say = |what: &str| ["`", method, "` of the store ", what].concat();
    match foreign {
        Foreign::Missing => StoreFailure { code: "store-threw", message: say("is not a function"), cause: None },
        Foreign::TimedOut => {
            StoreFailure { code: "store-timeout", message: say("did not settle in time"), cause: None }
        }
        Foreign::Threw(error) => {
            let (code, what) = kind_of(&error);
            StoreFailure { code, message: say(what), cause: Some(cause(&error, &[secret])) }
        }
    }
}

/// What our own stores say by a code, and what it means to a developer.
const KNOWN: [(&str, &str); 7] = [
    (
        "store-unavailable",
        "cannot be used on this host; give another `store`: memoryStore() lasts for as long as the page",
    ),
    ("store-sealed", "cannot use a value that is sealed, or cannot open one: the cause says which"),
    ("store-full", "failed: there is no space left"),
    ("store-read-only", "failed: nothing can be written there"),
    ("store-unreadable", "failed: nothing can be read there, the cause says why"),
    ("store-format", "failed: what is there is not its own, the cause says what"),
    ("store-newer", "failed: what is there was written by a newer version of this package"),
];

/// What a developer can do something about is told apart: our own stores say it by a code, IndexedDB by a name.
fn kind_of(error: &JsValue) -> (&'static str, &'static str) {
    let member = |name| property(error, name).ok().and_then(|member| member.as_string());
    let quota = member("name").filter(|name| name == "QuotaExceededError").map(|_| "store-full".to_owned());
    let code = quota.or_else(|| member("code"));
    let known = KNOWN.into_iter().find(|(known, _)| code.as_deref() == Some(known));
    known.unwrap_or(("store-threw", "failed"))
}
