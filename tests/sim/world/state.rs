//! The state of the simulated world, and what it says about itself.

use std::hash::{Hash, Hasher};
use std::rc::Rc;

use refresh_coordinator::protocol::record::Record;

use super::Scenario;
use super::faults::Happened;
use crate::sim::histories::{Histories, HistoryId};
use crate::sim::monitor;
use crate::sim::replay::{Effect, Reply};
use crate::sim::script::{Action, PROGRAMS};
use crate::sim::server::Server;
use crate::sim::shared::Shared;
use crate::sim::symmetry::{self, At, hash_in_order};
use crate::sim::text::Text;

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
        symmetry::least_digest(&self.nameless(), &Named(self))
    }

    /// The parts in which nobody is named. A new part of the state belongs here or to [`Named`].
    fn nameless(&self) -> impl Hash {
        let Self { next_version, server, now, orphans, budget, happened, .. } = self;
        let Self { contexts: _, store: _, lock: _, late: _, ledger: _, .. } = self;
        (*next_version, server.clone(), *now, orphans.clone(), *budget, *happened)
    }

    /// Its digest as it is, names and all.
    pub fn own_digest(&self) -> u128 {
        symmetry::digest(&(self.nameless(), Named(self)))
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
