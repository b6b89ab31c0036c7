//! The simulated world: contexts, store, lock, channel, clocks and server, as one state that can be copied and compared.
//!
//! | file | what it is |
//! | --- | --- |
//! | `steps` | every step that can follow a state |
//! | `take` | taking one |
//! | `store` | reads and writes |
//! | `endpoint` | requests and their replies |
//! | `faults` | what may go wrong |
//! | `excuses` | which faults excuse what |

mod endpoint;
mod excuses;
pub mod faults;
pub mod steps;
mod store;
mod take;

use std::hash::{Hash, Hasher};
use std::rc::Rc;

use refresh_coordinator::protocol::record::Record;

use super::histories::{Histories, HistoryId};
use super::monitor;
use super::replay::{Effect, Reply, names};
use super::script::{Action, PROGRAMS, Role};
use super::server::{Kind, Server};
use super::shared::Shared;
use super::symmetry::{self, At, hash_in_order};
use super::text::Text;
use faults::{Faults, Happened};

/// How announcements travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// None is ever heard.
    Lost,
    /// Everybody else hears each one at once.
    Prompt,
    /// Each one is heard later, at any time, or never.
    Late,
}

/// One world to be searched completely.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: String,
    pub roles: Vec<Role>,
    pub server: Kind,
    pub faults: Faults,
    pub budget: u8,
    pub channel: Channel,
    /// May a tombstone expire at any time?
    pub tombstones_expire: bool,
    /// Successor mode: nobody is signed in, tokens are carried.
    pub successor_mode: bool,
    /// How long the access token of the session at the beginning lives, in milliseconds.
    pub life_left: i64,
    /// Is a session lost for good if the server is one on which nothing can be done about it?
    pub forgiving: bool,
}

/// A stored value. Equal versions of a key are equal values only along one path, so the value counts as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cell {
    pub value: Text,
    pub version: u32,
}

/// One key of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub key: Text,
    pub cell: Option<Cell>,
    /// What a read that is late still sees, where there are such reads.
    pub before: Option<Option<Cell>>,
    /// When it was written, where that matters.
    pub written_at: i64,
    /// When it expires, if it does.
    pub expires_at: Option<i64>,
}

/// One program of a context, as far as the world sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Slot {
    /// What it was answered while its context stood still.
    pub mailbox: Option<Reply>,
    /// What the server has answered and the network not yet delivered.
    pub reply: Option<Reply>,
}

/// One context, as far as the world sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Running {
    pub history: HistoryId,
    pub crashed: bool,
    /// It has nothing left to do.
    pub over: bool,
    pub paused: bool,
    /// It stands still between its send and its commit: until when its intent fences that off.
    pub fenced_until: Option<i64>,
    pub slots: [Slot; PROGRAMS],
    /// Announcements that it has heard.
    pub heard: u64,
    /// The newest generation among the announcements that it may still hear.
    pub coming: Option<u64>,
    /// How far its wall clock is ahead.
    pub skew: i64,
    pub watch: monitor::Watch,
}

impl Running {
    /// Has it a future?
    pub fn lives(&self) -> bool {
        !self.over
    }
}

/// A write: one that happens, or one that may still land.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Writing {
    pub who: Who,
    /// What it was written for.
    pub action: Option<Action>,
    pub key: Text,
    pub value: Text,
    pub if_version: Option<u32>,
    pub ttl: Option<i64>,
}

/// One program of one context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Who {
    pub at: At,
    pub program: u8,
}

impl Who {
    pub fn new(at: usize, program: usize) -> Self {
        Self { at: At(at as u8), program: program as u8 }
    }

    pub fn at(self) -> usize {
        usize::from(self.at.0)
    }

    pub fn program(self) -> usize {
        usize::from(self.program)
    }
}

#[derive(Clone, Debug)]
pub struct State {
    pub contexts: Vec<Shared<Running>>,
    pub store: Shared<Vec<Place>>,
    pub next_version: u32,
    pub lock: Option<Who>,
    pub server: Shared<Server>,
    pub now: i64,
    /// Requests that still travel, with nobody waiting for the reply: token and scope, in order.
    pub orphans: Vec<(Text, Text)>,
    pub late: Vec<Writing>,
    pub budget: u8,
    pub happened: Happened,
    pub ledger: Shared<monitor::Ledger>,
}

/// The parts of a state in which contexts are named.
struct Named<'a>(&'a State);

impl Hash for Named<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let State { contexts, store, lock, late, ledger, .. } = self.0;
        hash_in_order(contexts, hasher);
        (store, lock, late, ledger).hash(hasher);
    }
}

impl State {
    /// States that differ in nothing but the names of contexts have the same digest.
    pub fn digest(&self) -> u128 {
        let Self { next_version, server, now, orphans, budget, happened, .. } = self;
        symmetry::least_digest(&(next_version, server, now, orphans, budget, happened), &Named(self))
    }

    /// Its digest as it is, names and all.
    pub fn own_digest(&self) -> u128 {
        let Self { next_version, server, now, orphans, budget, happened, .. } = self;
        symmetry::digest(&((next_version, server, now, orphans, budget, happened), Named(self)))
    }

    /// What a program waits for.
    pub fn effect(&self, who: Who, histories: &Histories) -> Option<Effect> {
        histories.effects(self.contexts[who.at()].history)[who.program()]
    }

    pub fn slot(&mut self, who: Who) -> &mut Slot {
        &mut self.contexts[who.at()].slots[who.program()]
    }

    /// The wall clock of a context.
    pub fn wall(&self, at: usize) -> i64 {
        self.now + self.contexts[at].skew
    }

    /// The record under the session's key.
    pub fn record(&self) -> Option<Rc<Record>> {
        self.place(Scenario::session_key()).and_then(|place| place.cell)?.value.record()
    }

    /// Do all contexts agree on the time?
    pub fn happened_to_no_clock(&self) -> bool {
        self.contexts.iter().all(|context| context.skew == 0)
    }

    pub fn place(&self, key: Text) -> Option<&Place> {
        self.store.iter().find(|place| place.key == key)
    }
}

impl Scenario {
    pub fn session_key() -> Text {
        thread_local! {
            static KEY: String = names().session().key;
        }
        KEY.with(|key| Text::of(key))
    }

    /// The world before anything happens: user `u` is signed in, and the access token has just expired, or is about to.
    pub fn start(&self, histories: &Histories) -> State {
        let mut store = Vec::new();
        if !self.successor_mode {
            let record = monitor::signed_in("s0", "u", self.life_left);
            let cell = Some(Cell { value: Text::of(&record.encode()), version: 0 });
            store.push(Place { key: Self::session_key(), cell, before: None, written_at: 0, expires_at: None });
        }
        let contexts = (0..self.roles.len())
            .map(|at| {
                Shared::new(Running {
                    history: histories.start(at),
                    crashed: false,
                    over: false,
                    paused: false,
                    fenced_until: None,
                    slots: Default::default(),
                    heard: 0,
                    coming: None,
                    skew: 0,
                    watch: monitor::Watch::new(&self.roles[at]),
                })
            })
            .collect();
        State {
            contexts,
            store: Shared::new(store),
            next_version: 1,
            lock: None,
            server: Shared::new(Server::new(self.server, &["u", "v"])),
            now: 0,
            orphans: Vec::new(),
            late: Vec::new(),
            budget: self.budget,
            happened: Happened::default(),
            ledger: Shared::default(),
        }
    }

    /// May something happen between the arrival of a request and that of its reply that matters to either?
    pub fn replies_travel(&self) -> bool {
        self.channel != Channel::Lost || self.server == Kind::Forking
    }

    /// Checks a state from which nothing can follow.
    pub fn end(&self, state: &State, histories: &Histories) -> Result<(), String> {
        let waits = |context: &Shared<Running>| {
            !context.crashed && histories.effects(context.history).iter().any(Option::is_some)
        };
        if let Some(at) = state.contexts.iter().position(waits) {
            return Err(format!("I4: {} waits for ever", self.roles[at].name));
        }
        monitor::end(self, state)
    }
}
