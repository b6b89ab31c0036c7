//! The simulated world: contexts, store, lock, channel, clocks and server, as one state that can be copied and compared.
//!
//! | file | what it is |
//! | --- | --- |
//! | `state` | contexts, store, lock, server, and what has happened |
//! | `steps` | every step that can follow a state |
//! | `take` | taking one |
//! | `store` | reads and writes |
//! | `endpoint` | requests and their replies |
//! | `faults`, `fail` | what may go wrong, and what it does |
//! | `excuses` | which faults excuse what |

mod endpoint;
mod excuses;
mod fail;
pub mod faults;
mod state;
pub mod steps;
mod store;
mod take;

use super::histories::Histories;
use super::monitor;
use super::replay::names;
use super::script::Role;
use super::server::{Kind, Server};
use super::shared::Shared;
use super::text::Text;
use faults::{Faults, Happened};
pub use state::{Cell, Place, Running, State, Who, Writing};

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
