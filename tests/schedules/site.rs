//! What all tabs share: the store, the locks, the authorization server, the network to it, and time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use refresh_coordinator::protocol::ports::{Params, Versioned, Written};
use refresh_coordinator::protocol::record::{Record, State};
use refresh_coordinator::protocol::safeguard::{Safeguard, dropped};

use super::coordinator::Coordinator;
use super::faults::{Fate, Faults, Plan};
use super::locks::Locks;
use super::monitor::{Ledger, signed_in};
use super::promise::Promise;
use super::tab::Tab;
use super::time::{Time, step};
use super::trace::{chance, note, reached};
use crate::server::{Answer, Kind, Server};

/// How long a presentation may take, in milliseconds: the default of the settings.
pub const TIMEOUT: i64 = 10_000;

/// The world of one schedule.
pub struct Site {
    pub time: Time,
    pub locks: Locks,
    pub server: RefCell<Server>,
    pub plan: Plan,
    pub ledger: Ledger,
    /// Are announcements heard in other tabs?
    pub channel: bool,
    /// Will nothing fail?
    pub faultless: bool,
    /// Nobody is signed in; tokens are carried.
    pub successor_mode: bool,
    pub tabs: RefCell<Vec<Rc<Coordinator>>>,
    store: RefCell<BTreeMap<String, Stored>>,
    versions: Cell<u64>,
}

struct Stored {
    value: String,
    version: String,
    expires_at: Option<i64>,
}

/// A conditional write on its way to the store.
pub struct Write {
    pub key: String,
    pub value: String,
    pub if_version: Option<String>,
    pub ttl: Option<i64>,
}

/// A refresh request on its way to the server.
pub struct Request {
    pub token: String,
    pub params: Params,
    /// When it left, as the ledger counts.
    pub sent: u64,
}

/// What comes back.
#[derive(Clone)]
pub enum Reply {
    Answer(Answer),
    Busy,
}

impl Site {
    /// A world in which user `u` is signed in under this key, and the access token has just expired. Users `v` and `w`
    /// may sign in.
    pub fn new(kind: Kind, faults: Faults, key: Option<String>) -> Rc<Self> {
        let plan = Plan::choose(faults);
        let site = Self {
            time: Time::default(),
            locks: Locks::default(),
            server: RefCell::new(Server::new(kind, &["u", "v", "w"])),
            faultless: plan.is_empty(),
            successor_mode: key.is_none(),
            plan,
            ledger: Ledger::default(),
            channel: chance(2) == 0,
            tabs: RefCell::default(),
            store: RefCell::default(),
            versions: Cell::new(1),
        };
        if let Some(key) = key {
            let stored = Stored { value: signed_in().encode(), version: "0".to_owned(), expires_at: None };
            site.store.borrow_mut().insert(key, stored);
        }
        Rc::new(site)
    }

    /// What the store holds.
    pub fn get(&self, key: &str) -> Option<Versioned> {
        let store = self.store.borrow();
        let stored = store.get(key).filter(|stored| stored.expires_at.is_none_or(|end| self.time.now() < end))?;
        Some(Versioned { value: stored.value.clone(), version: stored.version.clone() })
    }

    /// All records.
    pub fn records(&self) -> Vec<Record> {
        self.store.borrow().values().filter_map(|stored| Record::decode(&stored.value).ok()).collect()
    }

    /// Tombstones that wait for nothing expire.
    pub fn expire(&self) {
        let expires = |stored: &Stored| {
            let record = Record::decode(&stored.value).ok();
            record.is_some_and(|record| record.state == State::Out && record.revoke.is_empty())
        };
        self.store.borrow_mut().retain(|_, stored| !expires(stored));
    }

    /// Applies a write, if its condition holds.
    pub fn put(&self, tab: &Tab, write: &Write) -> Written {
        let there = self.get(&write.key);
        let same = there.as_ref().map(|found| &found.version) == write.if_version.as_ref();
        if !same && !dropped(Safeguard::ConditionalWrite) {
            note(|| format!("{}: its write meets a conflict", tab.name));
            reached("a write met a conflict");
            return Written::Conflict;
        }
        self.ledger.writing(self, tab, there.as_ref(), write);
        let version = self.versions.get().to_string();
        self.versions.set(self.versions.get() + 1);
        let expires_at = write.ttl.map(|ttl| self.time.now() + ttl);
        let stored = Stored { value: write.value.clone(), version: version.clone(), expires_at };
        self.store.borrow_mut().insert(write.key.clone(), stored);
        Written::Done(version)
    }

    /// Sends a request, which travels on its own from here, whatever becomes of its sender.
    pub fn send(self: &Rc<Self>, from: &Rc<Tab>, request: Request) -> Promise<Reply> {
        let fate = self.plan.request();
        let (site, from, reply) = (self.clone(), from.clone(), Promise::new());
        let answer = reply.clone();
        if fate == Fate::Lost || fate == Fate::Unheard || fate == Fate::Late {
            self.ledger.network.set(true);
        }
        self.time.spawn(format!("{}'s request", from.name), async move {
            step().await;
            let travels = [0, 0, 300].get(chance(3)).copied().unwrap_or_default();
            let travels = if fate == Fate::Late { TIMEOUT + 1 } else { travels };
            site.time.alarm(site.time.now() + travels).await;
            match fate {
                Fate::Lost => note(|| format!("{}'s request is lost", from.name)),
                Fate::Busy => {
                    note(|| format!("{}'s request is answered 503", from.name));
                    answer.settle(Reply::Busy);
                }
                Fate::Answered | Fate::Unheard | Fate::Late => {
                    let answered = site.arrive(&from, &request);
                    step().await;
                    if fate == Fate::Answered {
                        answer.settle(Reply::Answer(answered));
                    }
                }
            }
        });
        reply
    }

    fn arrive(&self, from: &Tab, request: &Request) -> Answer {
        let (answer, reuse) = {
            let mut server = self.server.borrow_mut();
            let reuses = server.reuses;
            let answer = server.present(&request.token, "", self.time.now(), false);
            (answer, server.reuses > reuses)
        };
        note(|| format!("the server answers {}'s {} with {answer:?}", from.name, request.token));
        self.ledger.arrived(from, request, &answer, reuse);
        answer
    }
}
