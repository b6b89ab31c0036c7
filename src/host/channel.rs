//! The channel and the store's `watch`: hints that a record changed, counted by key, and our own announcements.
//!
//! A hint is never evidence. It empties the mirror at once; it wakes who waits, and has the record looked at, at most every
//! 50 ms, so that a flood of forged messages costs a few reads.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::{Rc, Weak};

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen_futures::spawn_local;

use super::bell::Bell;
use super::clock::{HostClock, host_monotonic, host_sleep};
use super::embedder::Embedder;
use super::object::Members;
use super::race::race;
use super::randomness::HostRandomness;
use super::settle::{call, ignore, invoke, own, property};
use super::store::HostStore;
use crate::protocol::ports::Randomness;
use crate::protocol::tokens::Millis;

/// The shortest time between two hints that are heeded, in milliseconds.
const PACE: Millis = 50;
/// Where nobody says anything, who waits looks again after so many milliseconds, then ever more seldom.
const FIRST_POLL: Millis = 100;
/// The longest time between two such looks, in milliseconds. So often also where changes are announced: a hint may be lost, or
/// come from a server that announces nothing, being of another release.
const SELDOM: Millis = 2_000;
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
    /// Signs our messages: a channel may deliver to its sender. Drawn when it is needed, for there are hosts that have no
    /// random numbers while modules are loaded.
    id: OnceCell<String>,
    keys: RefCell<Vec<Rc<Key>>>,
    /// Counts the hints of all keys, so that a key forgotten and met again never counts backwards.
    hints: Cell<u64>,
    /// Counts whatever made the session's record doubtful, heeded or not.
    doubts: Cell<u64>,
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
    /// After how long it is first looked at for want of a hint. Nothing: nobody else has this store.
    first_poll: Option<Millis>,
    /// When it was last looked at for want of a hint, and the time to the next look.
    polled: Cell<(Millis, Millis)>,
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
            id: OnceCell::new(),
            keys: RefCell::default(),
            hints: Cell::new(0),
            doubts: Cell::new(0),
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
        let random = HostRandomness::new(self.embedder.object().clone());
        let message = Members::new()
            .set("v", 1)
            .set("key", key)
            .set("sid", sid)
            .set("generation", generation as f64)
            .set("from", self.id.get_or_init(|| random.nonce()).as_str())
            .done();
        ignore(invoke(&self.channel, "postMessage", &[&message]));
        if let Some(key) = self.known(key) {
            self.ring(&key);
        }
    }

    /// How many hints there were about a key. Listening begins with the first call.
    pub fn heard(self: &Rc<Self>, key: &str) -> u64 {
        self.key(key).bell.count()
    }

    /// Waits for a hint newer than this count. `polls`: at most until it is time to look again.
    pub async fn after(self: &Rc<Self>, key: &str, count: u64, polls: bool) {
        let key = self.key(key);
        match key.first_poll.filter(|_| polls) {
            Some(first) => {
                race(key.bell.after(count), host_sleep(key.next_poll(first))).await;
            }
            None => key.bell.after(count).await,
        }
    }

    /// How often the session's record became doubtful. What was read before the last time may be out of date.
    pub fn doubts(self: &Rc<Self>) -> u64 {
        // Only who listens hears.
        self.key(&self.session_key);
        self.doubts.get()
    }

    /// This context may have missed hints: it was frozen, hidden or offline.
    pub fn wake(self: &Rc<Self>) {
        let keys = self.keys.borrow().clone();
        for key in keys {
            self.ring(&key);
        }
        self.doubt();
        self.embedder.forget();
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
            first_poll: self.first_poll(name),
            polled: Cell::new((Millis::MIN, 0)),
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
        if !self.can_watch(name) {
            return;
        }
        let (channel, changed) = (Rc::downgrade(self), Rc::downgrade(key));
        let listener = Closure::<dyn FnMut()>::new(move || hint(&channel, &changed));
        let called = invoke(self.store.of(name), "watch", &[&name.into(), &listener.into_js_value()]);
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

    fn can_watch(&self, name: &str) -> bool {
        property(self.store.of(name), "watch").is_ok_and(|watch| watch.is_function())
    }

    fn first_poll(&self, name: &str) -> Option<Millis> {
        let announced = !self.channel.is_undefined() || self.can_watch(name);
        (!self.is_own(name)).then_some(if announced { SELDOM } else { FIRST_POLL })
    }

    /// Has nobody else this store? Then there is nothing to look again for.
    fn is_own(&self, name: &str) -> bool {
        property(self.store.of(name), "own").is_ok_and(|own| own.is_truthy())
    }

    /// A message, from anybody.
    fn hear(self: &Rc<Self>, event: &JsValue) {
        let Ok(data) = property(event, "data") else { return };
        let member = |name| own(&data, name).ok().flatten();
        let text = |name| member(name).and_then(|member| member.as_string());
        let number = |name| member(name).and_then(|member| member.as_f64());
        let (Some(1.0), Some(name), Some(_), Some(_)) = (number("v"), text("key"), text("sid"), number("generation"))
        else {
            return;
        };
        let ours = text("from").is_some_and(|from| self.id.get() == Some(&from));
        if let Some(key) = self.known(&name).filter(|_| !ours) {
            hint(&Rc::downgrade(self), &Rc::downgrade(&key));
        }
    }

    fn doubt(&self) {
        self.doubts.set(self.doubts.get() + 1);
        self.embedder.doubt();
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
    /// The time until the record is looked at again for want of a hint.
    fn next_poll(&self, first: Millis) -> Millis {
        let now = host_monotonic();
        let (last, wait) = self.polled.get();
        let goes_on = last != Millis::MIN && now - last <= 2 * SELDOM;
        let next = if goes_on { (wait + wait / 2).clamp(first, SELDOM) } else { first };
        self.polled.set((now, next));
        next
    }

    fn end(&self) {
        self.forgotten.set(true);
        ignore(call(&self.stop.replace(JsValue::UNDEFINED), &JsValue::UNDEFINED, &[]));
    }
}

/// A hint about a key has arrived.
fn hint(channel: &Weak<HostChannel>, key: &Weak<Key>) {
    let (Some(heeding), Some(about)) = (channel.upgrade(), key.upgrade()) else { return };
    if about.is_session {
        heeding.doubt();
    }
    heed(channel, key);
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
