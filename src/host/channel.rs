//! The channel and the store's `watch`: hints that a record changed, counted by key, and our own announcements.
//!
//! A hint is never evidence. It wakes who waits and empties the mirror, at most every 50 ms, so that a flood of forged
//! messages costs a few reads.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen_futures::spawn_local;

use super::bell::Bell;
use super::clock::{HostClock, host_monotonic, host_sleep};
use super::embedder::Embedder;
use super::object::Members;
use super::settle::{call, ignore, invoke, own, property};
use super::store::HostStore;
use crate::protocol::tokens::Millis;

/// The shortest time between two hints that are heeded, in milliseconds.
const PACE: Millis = 50;
/// How many keys are listened to at most: in successor mode every presented token has one.
const KEYS: usize = 1_024;
/// How long a store may take to begin watching, in milliseconds.
const WATCH_LIMIT: Millis = 5_000;

/// The channel of one coordinator.
pub struct HostChannel {
    channel: JsValue,
    /// Is the channel ours to close?
    owned: bool,
    embedder: Rc<Embedder>,
    store: Rc<HostStore>,
    clock: Rc<HostClock>,
    session_key: String,
    keys: RefCell<Vec<Rc<Key>>>,
    /// Counts the hints of all keys, so that a key forgotten and met again never counts backwards.
    hints: Cell<u64>,
    /// What was announced last: a channel may deliver to its sender.
    said: RefCell<Option<(String, String, u64)>>,
    listener: RefCell<Option<Listener>>,
    closed: Cell<bool>,
}

type Listener = Closure<dyn FnMut(JsValue)>;

/// One key that is listened to.
struct Key {
    name: String,
    is_session: bool,
    bell: Bell,
    heeded: Cell<Option<Millis>>,
    delayed: Cell<bool>,
    /// Ends the store's watch.
    stop: RefCell<JsValue>,
    forgotten: Cell<bool>,
}

impl HostChannel {
    /// Begins to listen. `owned`: the channel is not the user's.
    pub fn new(
        channel: JsValue,
        owned: bool,
        session_key: &str,
        embedder: Rc<Embedder>,
        store: Rc<HostStore>,
        clock: Rc<HostClock>,
    ) -> Rc<Self> {
        let channel = Rc::new(Self {
            channel,
            owned,
            embedder,
            store,
            clock,
            session_key: session_key.to_owned(),
            keys: RefCell::default(),
            hints: Cell::new(0),
            said: RefCell::default(),
            listener: RefCell::default(),
            closed: Cell::new(false),
        });
        let heard = Rc::downgrade(&channel);
        let listener = Listener::new(move |event| {
            if let Some(channel) = heard.upgrade() {
                channel.hear(&event);
            }
        });
        ignore(invoke(&channel.channel, "addEventListener", &[&"message".into(), listener.as_ref()]));
        // An open channel would keep a Node process alive.
        ignore(invoke(&channel.channel, "unref", &[]));
        *channel.listener.borrow_mut() = Some(listener);
        channel
    }

    /// Tells everybody who shares the store, and those in this context who wait for the key.
    pub fn announce(&self, key: &str, sid: &str, generation: u64) {
        *self.said.borrow_mut() = Some((key.to_owned(), sid.to_owned(), generation));
        let message = Members::new().set("v", 1).set("key", key).set("sid", sid).set("generation", generation as f64);
        ignore(invoke(&self.channel, "postMessage", &[&message.done()]));
        if let Some(key) = self.known(key) {
            self.ring(&key);
        }
    }

    /// How many hints there were about a key. Listening begins with the first call.
    pub fn heard(self: &Rc<Self>, key: &str) -> u64 {
        self.key(key).bell.count()
    }

    /// Waits for a hint newer than this count.
    pub async fn after(self: &Rc<Self>, key: &str, count: u64) {
        let key = self.key(key);
        key.bell.after(count).await;
    }

    /// No flight is open: what was listened to on behalf of presented tokens is let go.
    pub fn rest(&self) {
        self.forget(|key| !key.is_session);
    }

    /// Lets go of channel and watches.
    pub fn close(&self) {
        self.closed.set(true);
        self.forget(|_| true);
        if let Some(listener) = self.listener.take() {
            ignore(invoke(&self.channel, "removeEventListener", &[&"message".into(), listener.as_ref()]));
        }
        if self.owned {
            ignore(invoke(&self.channel, "close", &[]));
        }
    }

    fn key(self: &Rc<Self>, name: &str) -> Rc<Key> {
        self.known(name).unwrap_or_else(|| self.listen(name))
    }

    fn known(&self, name: &str) -> Option<Rc<Key>> {
        self.keys.borrow().iter().find(|key| key.name == name).cloned()
    }

    fn listen(self: &Rc<Self>, name: &str) -> Rc<Key> {
        if self.keys.borrow().len() >= KEYS {
            // Who waits for it still wakes in time, only later.
            let oldest = self.keys.borrow().iter().find(|key| !key.is_session).cloned();
            self.forget(|key| oldest.as_ref().is_some_and(|oldest| oldest.name == key.name));
        }
        let key = Rc::new(Key {
            name: name.to_owned(),
            is_session: name == self.session_key,
            bell: Bell::counting_from(self.hints.get()),
            heeded: Cell::new(None),
            delayed: Cell::new(false),
            stop: RefCell::new(JsValue::UNDEFINED),
            forgotten: Cell::new(false),
        });
        if !self.closed.get() {
            self.keys.borrow_mut().push(key.clone());
            self.watch(name, &key);
        }
        key
    }

    fn watch(self: &Rc<Self>, name: &str, key: &Rc<Key>) {
        let store = self.store.of(name);
        if !property(store, "watch").is_ok_and(|watch| watch.is_function()) {
            return;
        }
        let (channel, changed) = (Rc::downgrade(self), Rc::downgrade(key));
        let listener = Closure::<dyn FnMut()>::new(move || heed(&channel, &changed));
        let called = invoke(store, "watch", &[&name.into(), &listener.into_js_value()]);
        let (clock, key) = (self.clock.clone(), key.clone());
        spawn_local(async move {
            if let Ok(stop) = clock.settle(WATCH_LIMIT, called).await {
                key.stop.replace(stop);
                if key.forgotten.get() {
                    key.end();
                }
            }
        });
    }

    /// A message, from anybody.
    fn hear(self: &Rc<Self>, event: &JsValue) {
        let Ok(data) = property(event, "data") else { return };
        let member = |name| own(&data, name).ok().flatten();
        let text = |name| member(name).and_then(|member| member.as_string());
        let number = |name| member(name).and_then(|member| member.as_f64());
        let (Some(1.0), Some(name), Some(sid), Some(generation)) =
            (number("v"), text("key"), text("sid"), number("generation"))
        else {
            return;
        };
        let ours = matches!(&*self.said.borrow(), Some((key, said, at))
            if *key == name && *said == sid && *at as f64 == generation);
        if let Some(key) = self.known(&name).filter(|_| !ours) {
            heed(&Rc::downgrade(self), &Rc::downgrade(&key));
        }
    }

    fn ring(&self, key: &Key) {
        self.hints.set(self.hints.get() + 1);
        key.bell.ring(self.hints.get());
    }

    fn forget(&self, which: impl Fn(&Key) -> bool) {
        let mut gone = Vec::new();
        self.keys.borrow_mut().retain(|key| {
            let forget = which(key);
            if forget {
                gone.push(key.clone());
            }
            !forget
        });
        // Only now: the store's code runs inside.
        gone.iter().for_each(|key: &Rc<Key>| key.end());
    }
}

impl Key {
    fn end(&self) {
        self.forgotten.set(true);
        ignore(call(&self.stop.replace(JsValue::UNDEFINED), &JsValue::UNDEFINED, &[]));
    }
}

/// Heeds a hint about a key, or, if it comes too soon after the last, once the pace allows.
fn heed(channel: &Weak<HostChannel>, key: &Weak<Key>) {
    let (Some(heeding), Some(about)) = (channel.upgrade(), key.upgrade()) else { return };
    let now = host_monotonic();
    let wait = about.heeded.get().map_or(0, |last| last + PACE - now);
    if wait <= 0 {
        about.heeded.set(Some(now));
        heeding.ring(&about);
        if about.is_session {
            heeding.embedder.forget();
        }
    } else if !about.delayed.replace(true) {
        let (channel, key) = (channel.clone(), key.clone());
        spawn_local(async move {
            host_sleep(wait).await;
            if let Some(about) = key.upgrade() {
                about.delayed.set(false);
            }
            heed(&channel, &key);
        });
    }
}
