//! One coordinator and its memory, in a tab, a worker or a process: the entry points of the protocol.

use std::cell::{Ref, RefCell, RefMut};

use super::decide::claim::Moment;
use super::decide::freshness::{Knowledge, meets};
use super::demand::{Demand, Mark, Need};
use super::exchange::{Answer, Entry, exchange};
use super::failure::Failure;
use super::memory::Memory;
use super::names::{Names, params_key};
use super::notice::{Notice, What};
use super::ports::{Address, Params, StoreFailure, Versioned, World};
use super::record::{Record, State, Unreadable};
use super::settings::Settings;
use super::tokens::{Grant, Millis, Secret, TokenSet};
use super::verdict::Granted;

/// A context: the world it lives in, its settings, the names of its records, and what it remembers.
#[derive(Debug)]
pub struct Context<W> {
    /// The ports.
    pub world: W,
    /// Durations and policies.
    pub settings: Settings,
    /// Where its records live.
    pub names: Names,
    memory: RefCell<Memory>,
}

/// What a flight learns while its exchange runs.
pub struct Call<'a> {
    /// The session the call belongs to: [`Context::sid`] at the moment the call began.
    pub sid: Option<String>,
    /// The record is about to be read, or written if it has not changed: what comes of it is newer than any hint so far.
    pub on_look: &'a dyn Fn(),
    /// The request is about to be sent.
    pub on_sent: &'a dyn Fn(),
    /// There are tokens for the callers although the exchange is not over. May be called more than once.
    pub on_tokens: &'a dyn Fn(&TokenSet),
}

/// Tokens that the caller brings along: at sign-in, or from a cookie in successor mode.
#[derive(Clone, Debug, PartialEq)]
pub struct Carried {
    /// The tokens.
    pub granted: Granted,
    /// When they were issued, as far as known: wall clock, milliseconds since the epoch.
    pub issued_at: Millis,
    /// The caller cannot store what replaces them; say a response whose headers are sent. The successor is kept longer.
    pub fixed: bool,
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub record: Record,
    /// Nothing if there is no record yet.
    pub version: Option<String>,
}

impl<W: World> Context<W> {
    /// A context that remembers nothing yet.
    pub fn new(world: W, settings: Settings, names: Names) -> Self {
        Self { world, settings, names, memory: RefCell::default() }
    }

    /// Session mode: tokens that meet the demand, from the record or from a new exchange.
    ///
    /// # Errors
    /// Every variant of [`Failure`].
    pub async fn refresh(&self, demand: &Demand, call: &Call<'_>) -> Result<TokenSet, Failure> {
        let entry =
            Entry { address: self.names.session(), presented: None, carried: None, subject: None, only_copy: false };
        match exchange(self, &entry, demand, call).await? {
            Answer::Tokens(tokens) => Ok(tokens),
            // Only a presented token leads to a successor.
            Answer::Follow(_) => Err(Failure::busy("contention", "the record keeps changing", None)),
        }
    }

    /// Session mode: looks at the record and asks nobody for anything, for a context that heard a hint. The tokens, if
    /// the record has valid ones.
    ///
    /// # Errors
    /// [`Failure::NoSession`] and [`Failure::Revoked`] if the session is over; [`Failure::Store`].
    pub async fn look(&self, params: &Params) -> Result<Option<TokenSet>, Failure> {
        let (at, turns) = (self.names.session(), self.memory().turns);
        let seen = self.read(&at).await.map_err(Failure::store)?;
        if self.memory().turns != turns {
            return Ok(None);
        }
        let there = |record: &Record| record.state != State::Out && !self.memory().has_left(&record.sid);
        let Some(record) = seen.map(|seen| seen.record).filter(there) else {
            self.memory_mut().take_up(None);
            return Err(Failure::no_session("nobody is signed in, or the user has signed out"));
        };
        if self.memory_mut().take_up(Some(&record.sid)) {
            self.notice(&at.key, record.generation, What::SignedIn);
        }
        if record.state == State::Rejected {
            return Err(Failure::revoked(record.rejected_for()));
        }
        let Some(grant) = record.grants.get(&params_key(params)) else { return Ok(None) };
        let tokens = self.token_set(&record, grant);
        let now = self.moment();
        let refused = self.memory().refused().to_vec();
        let monotonic_left = Some(tokens.expires_monotonic - now.monotonic);
        let known = Knowledge { wall: now.wall, monotonic_left, refused: &refused };
        let fresh = meets(&Need::Valid, grant, &self.settings, &known);
        self.memory_mut().remember(&record);
        Ok(fresh.then_some(tokens))
    }

    /// The session this context has taken up.
    pub fn sid(&self) -> Option<String> {
        self.memory().sid.clone()
    }

    /// What was last handed out for these parameters, so that something newer can be demanded. `served`: the access token that
    /// was handed out from a record this context has only looked at.
    pub fn mark(&self, params: &Params, served: Option<Secret>) -> Option<Mark> {
        let key = params_key(params);
        let mut memory = self.memory_mut();
        let seen = memory.last.as_ref().and_then(|record| record.grants.get(&key)).map(Mark::of);
        if let Some(mark) = seen.filter(|mark| served.is_some() && mark.access_token == served) {
            memory.hand(&key, mark);
        }
        memory.handed(&key)
    }

    pub(crate) fn memory(&self) -> Ref<'_, Memory> {
        self.memory.borrow()
    }

    pub(crate) fn memory_mut(&self) -> RefMut<'_, Memory> {
        self.memory.borrow_mut()
    }

    /// Both clocks.
    pub(crate) fn moment(&self) -> Moment {
        Moment { wall: self.world.wall(), monotonic: self.world.monotonic() }
    }

    pub(crate) fn notice(&self, key: &str, generation: u64, what: What) {
        self.world.notice(Notice { key: key.to_owned(), generation, what });
    }

    /// Something works less well than it should: the event `degraded`.
    pub fn degraded(&self, what: &'static str) {
        let generation = self.memory().last.as_ref().map_or(0, |last| last.generation);
        self.notice(&self.names.session().key, generation, What::Degraded { what });
    }

    /// Reads and decodes a record.
    pub(crate) async fn read(&self, at: &Address) -> Result<Option<Seen>, StoreFailure> {
        let found = self.world.read(at).await;
        match &found {
            Ok(_) => self.memory_mut().watched.store_answered(self.world.monotonic()),
            Err(_) => self.memory_mut().watched.store_failed(),
        }
        let result = match found {
            Ok(Some(Versioned { value, version })) => match Record::decode(&value) {
                Ok(record) => Ok(Some(Seen { record, version: Some(version) })),
                Err(unreadable) => Err(unreadable_value(unreadable)),
            },
            Ok(None) => Ok(None),
            Err(failure) => Err(failure),
        };
        if result.is_err() {
            self.notice(&at.key, 0, What::StoreFailed { operation: "read" });
        }
        result
    }

    /// The token set made of a record and one of its grants; from now on its end is known on the monotonic clock.
    pub(crate) fn token_set(&self, record: &Record, grant: &Grant) -> TokenSet {
        let now = self.moment();
        let left = grant.expires_at.saturating_sub(now.wall).min(grant.lifetime());
        let mut memory = self.memory_mut();
        memory.note_end(&record.sid, grant, now.monotonic.saturating_add(left));
        let expires_monotonic = memory.end(&record.sid, grant).unwrap_or(now.monotonic);
        TokenSet {
            refresh_token: record.refresh_token.clone(),
            grant: grant.clone(),
            generation: record.generation,
            sid: record.sid.clone(),
            expires_monotonic,
        }
    }
}

/// A newer schema is left alone; garbage and what does not open too, until somebody signs in.
fn unreadable_value(unreadable: Unreadable) -> StoreFailure {
    match unreadable {
        Unreadable::NewerSchema => StoreFailure {
            code: "store-newer-schema",
            message: "the record was written by a newer version of refresh-coordinator; it is left untouched".into(),
            cause: None,
        },
        Unreadable::Garbage => StoreFailure {
            code: "store-garbage",
            message: "the store returned something that is not a record".into(),
            cause: None,
        },
        Unreadable::Unopened => StoreFailure {
            code: "store-sealed",
            message: "the value in the store does not open: its key is gone, locked away in a keyring, or another one \
                      than `sealKey`, or it was changed; a sign-in replaces it"
                .into(),
            cause: None,
        },
    }
}
