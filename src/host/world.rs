//! The world of one coordinator on a JavaScript host: all ports of the protocol together.

use std::cell::Cell;
use std::rc::Rc;

use wasm_bindgen::JsValue;

use super::bell::Bell;
use super::channel::HostChannel;
use super::clock::{HostClock, host_moment};
use super::embedder::Embedder;
use super::endpoint::{self, HostEndpoint, Prepared};
use super::journal::Journal;
use super::locks::HostLocks;
use super::options::Options;
use super::randomness::HostRandomness;
use super::seal::Seal;
use super::settle::property;
use super::store::HostStore;
use crate::options::given::Wrong;
use crate::protocol::notice::Notice;
use crate::protocol::ports::{
    Address, Channel, Clock, Observer, Presentation, Randomness, Store, StoreFailure, TokenEndpoint, Versioned, Written,
};
use crate::protocol::tokens::{Millis, Secret};
use crate::protocol::verdict::{Refusal, Verdict};

/// All ports.
pub struct HostWorld {
    pub(super) clock: Rc<HostClock>,
    pub(super) random: HostRandomness,
    pub(super) store: Rc<HostStore>,
    pub(super) locks: HostLocks,
    pub(super) channel: Rc<HostChannel>,
    pub(super) journal: Rc<Journal>,
    /// Rings when the coordinator is closed: nobody waits any more, and nothing more is sent.
    pub(super) closing: Bell,
    /// Once closed: the moment of the monotonic clock until which a troubled store is asked to take what was granted.
    pub(super) persists_until: Cell<Option<Millis>>,
    endpoint: HostEndpoint,
}

impl HostWorld {
    /// Takes up the host's ports.
    pub fn new(options: &Options, embedder: &Rc<Embedder>) -> Result<Self, Wrong> {
        let clock = Rc::new(HostClock::new(embedder.member("clock")));
        let stores = embedder.member("stores");
        let store = |name| property(&stores, name).unwrap_or(JsValue::UNDEFINED);
        let seal = Seal::new(embedder.clone(), options.seal_key.clone());
        let key = &options.session_key;
        let limit = options.limits.store;
        let store = HostStore::new(store("session"), store("successor"), key, limit, seal, clock.clone())?;
        let store = Rc::new(store);
        let (channel, owned) = (embedder.member("channel"), options.owns_channel);
        let random = HostRandomness::new(embedder.object().clone());
        let channel = HostChannel::new(channel, owned, key, embedder.clone(), store.clone(), clock.clone());
        let journal = Rc::new(Journal::new(embedder.clone(), clock.clone()));
        let locks = HostLocks::new(embedder.member("locks"), options.lock_scope);
        let endpoint = HostEndpoint::new(options, embedder, &clock, &journal);
        Ok(Self {
            clock,
            random,
            store,
            locks,
            channel,
            journal,
            closing: Bell::default(),
            persists_until: Cell::new(None),
            endpoint,
        })
    }
}

impl Store for HostWorld {
    async fn read(&self, at: &Address) -> Result<Option<Versioned>, StoreFailure> {
        self.store.read(at).await
    }

    async fn write(
        &self,
        at: &Address,
        value: &str,
        generation: u64,
        if_version: Option<&str>,
        ttl: Option<Millis>,
    ) -> Result<Written, StoreFailure> {
        self.store.write(at, value, generation, if_version, ttl).await
    }

    fn lag(&self) -> Millis {
        self.store.lag()
    }
}

impl Channel for HostWorld {
    fn announce(&self, key: &str, sid: &str, generation: u64) {
        self.channel.announce(key, sid, generation);
    }

    fn heard(&self, key: &str) -> u64 {
        self.channel.heard(key)
    }
}

impl TokenEndpoint for HostWorld {
    type Prepared = Prepared;

    fn needs_token(&self) -> bool {
        self.endpoint.needs_token()
    }

    async fn prepare(&self, attempt: u32) -> Result<Prepared, Refusal> {
        let prepared = self.endpoint.prepare(attempt).await?;
        if self.closing.count() > 0 { Err(endpoint::closed()) } else { Ok(prepared) }
    }

    async fn present(&self, prepared: Prepared, presentation: Presentation<'_>) -> Verdict {
        let began = host_moment();
        let verdict = self.endpoint.present(prepared, presentation).await;
        self.journal.presented(began, &verdict);
        verdict
    }

    async fn revoke(&self, token: &Secret) -> Result<(), Refusal> {
        self.endpoint.revoke(token).await
    }

    fn can_revoke(&self) -> bool {
        self.endpoint.can_revoke()
    }
}

impl Clock for HostWorld {
    fn wall(&self) -> Millis {
        self.clock.wall()
    }

    fn monotonic(&self) -> Millis {
        self.clock.monotonic()
    }
}

impl Randomness for HostWorld {
    fn nonce(&self) -> String {
        self.random.nonce()
    }

    fn per_mille(&self) -> u32 {
        self.random.per_mille()
    }
}

impl Observer for HostWorld {
    fn notice(&self, notice: Notice) {
        self.journal.notice(notice);
    }
}
