//! One coordinator: joins callers to flights, runs each flight to its end, and settles its promise once.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{future_to_promise, spawn_local};

use super::bell::Bell;
use super::embedder::{Embedder, Hold};
use super::errors::{raise, raise_wrong};
use super::options::{self, Options};
use super::panic;
use super::race::{First, race};
use super::sessions::Drains;
use super::settle::{call, ignore};
use super::shared::Shared;
use super::tokens;
use super::world::HostWorld;
use crate::options::given::Wrong;
use crate::options::parameters;
use crate::protocol::context::Context;
use crate::protocol::decide::freshness::{advisory, mandatory};
use crate::protocol::failure::Failure;
use crate::protocol::flight::{FlightKey, Flights, Ticket};
use crate::protocol::ports::Params;
use crate::protocol::tokens::TokenSet;
use crate::protocol::verdict::{Details, Fault, Spent};

/// How many sets of request parameters are kept: a server may see a new one with every user.
const PARAMETERS: usize = 256;

/// What the JavaScript half may notice of the host.
const NOTICED: [&str; 4] = ["locks", "channel", "store", "mirror"];

/// Work that ends by settling a promise.
pub(super) type Work = Pin<Box<dyn Future<Output = ()>>>;

/// A coordinator.
pub struct Coordinator {
    pub(super) context: Context<HostWorld>,
    pub(super) embedder: Rc<Embedder>,
    pub(super) options: Options,
    /// Request parameters by number, the option's own under 0, those used last at the end.
    params: RefCell<Vec<(u32, Params)>>,
    /// The next number.
    numbered: Cell<u32>,
    session: Flights<Shared>,
    successor: Flights<Shared>,
    /// Sign-ins under way, which later calls wait for.
    pub(super) entering: Cell<u32>,
    pub(super) entered: Bell,
    pub(super) drains: Drains,
    /// Work under way. Until it ends, events are kept back.
    running: Cell<u32>,
    closed: Cell<bool>,
}

/// The two kinds of flights. A sign-out of the coordinator's own session ends those of one kind only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// For the session this context has taken up.
    Session,
    /// For tokens that the caller carries.
    Successor,
}

/// An open flight.
pub(super) struct Flight {
    pub(super) mode: Mode,
    pub(super) ticket: Ticket,
    pub(super) shared: Shared,
    /// The number of its parameters.
    pub(super) params: u32,
    /// How doubtful the record had become when it was last read for this flight.
    pub(super) looked: Cell<u64>,
    /// Its request was on its way.
    pub(super) sent: Cell<bool>,
}

impl Coordinator {
    /// Checks the options and takes up the host. Never waits.
    pub fn new(options: &JsValue, host: JsValue) -> Result<Rc<Self>, JsValue> {
        let embedder = Rc::new(Embedder::new(host));
        panic::report_to(&embedder);
        Self::build(options, &embedder).map(Rc::new).map_err(|wrong| raise_wrong(&embedder, &wrong))
    }

    fn build(options: &JsValue, embedder: &Rc<Embedder>) -> Result<Self, Wrong> {
        let options = options::read(options, embedder)?;
        let world = HostWorld::new(&options, embedder)?;
        let context = Context::new(world, options.settings.clone(), options.names.clone());
        Ok(Self {
            context,
            embedder: embedder.clone(),
            params: RefCell::new(vec![(0, options.params.clone())]),
            numbered: Cell::new(1),
            options,
            session: Flights::new(),
            successor: Flights::new(),
            entering: Cell::new(0),
            entered: Bell::default(),
            drains: Drains::default(),
            running: Cell::new(0),
            closed: Cell::new(false),
        })
    }

    /// The number of these request parameters over those of the option. 0: nothing else than the option's.
    pub fn number(&self, params: &JsValue) -> Result<u32, JsValue> {
        if params.is_undefined() {
            return Ok(0);
        }
        let read = parameters::read(params).map_err(|wrong| raise_wrong(&self.embedder, &wrong))?;
        let merged = parameters::merge(&self.options.params, read);
        let mut known = self.params.borrow_mut();
        let number = match known.iter().position(|(_, params)| *params == merged) {
            Some(0) => return Ok(0),
            Some(place) => known.remove(place).0,
            None => self.numbered.replace(self.numbered.get().wrapping_add(1).max(1)),
        };
        if known.len() > PARAMETERS {
            known.remove(1);
        }
        known.push((number, merged));
        Ok(number)
    }

    pub(super) fn params(&self, number: u32) -> Params {
        let known = self.params.borrow();
        known.iter().find(|(other, _)| *other == number).map(|(_, params)| params.clone()).unwrap_or_default()
    }

    pub(super) fn flights(&self, mode: Mode) -> &Flights<Shared> {
        match mode {
            Mode::Session => &self.session,
            Mode::Successor => &self.successor,
        }
    }

    /// The open flight for this key, or a new one.
    pub(super) fn join_or_start(
        self: &Rc<Self>,
        mode: Mode,
        key: FlightKey,
        params: u32,
        work: impl FnOnce(Flight) -> Work,
    ) -> Promise {
        if let Some(open) = self.flights(mode).join(&key) {
            let joins = &self.context.world.journal.joins;
            joins.set(joins.get().saturating_add(1));
            return open.promise();
        }
        let shared = Shared::new();
        let ticket = self.flights(mode).start(key, shared.clone());
        let flight =
            Flight { mode, ticket, shared: shared.clone(), params, looked: Cell::new(0), sent: Cell::new(false) };
        self.run(&shared, Some((mode, ticket)), work(flight));
        shared.promise()
    }

    /// The request is on its way.
    pub(super) fn sent(&self, flight: &Flight) {
        flight.sent.set(true);
        self.flights(flight.mode).sent(flight.ticket);
    }

    /// There are tokens: the mirror has them first, then the callers. May come before the exchange is over.
    pub(super) fn land(&self, flight: &Flight, tokens: &TokenSet) {
        let value = tokens::to_js(tokens);
        if flight.mode == Mode::Session {
            self.embedder.belongs(&value, &tokens.sid);
            self.hold(flight.params, tokens, &value, flight.looked.get());
        }
        self.flights(flight.mode).end(flight.ticket);
        flight.shared.resolve(&value);
    }

    /// The same before the tokens are durable, because the store has failed: that is told at the same time. The code of those who
    /// have the tokens runs from here on, so there is nothing left that keeping the events back would spare the commit.
    pub(super) fn land_early(&self, flight: &Flight, tokens: &TokenSet) {
        self.land(flight, tokens);
        self.context.world.journal.deliver();
    }

    /// There will be none.
    pub(super) fn fail(&self, flight: &Flight, failure: &Failure) {
        self.flights(flight.mode).end(flight.ticket);
        // Its waits ended early, and what they say then is not why.
        let closed = self.open().err().filter(|_| !flight.sent.get() && !failure.ends_session());
        let error =
            closed.map_or_else(|| raise(&self.embedder, failure), |closed| raise_wrong(&self.embedder, &closed));
        flight.shared.reject(&error);
    }

    /// How doubtful the session's record is by now. What is read later is newer than all hints that made it so.
    pub(super) fn doubts(&self) -> u64 {
        self.context.world.channel.doubts()
    }

    /// Fills the mirror, if the tokens are those of the session this context has taken up. `looked`: the doubts before they
    /// were read.
    pub(super) fn hold(&self, params: u32, tokens: &TokenSet, value: &JsValue, looked: u64) {
        if self.closed.get() || self.context.sid().as_deref() != Some(&tokens.sid) {
            return;
        }
        self.embedder.hold(&Hold {
            params,
            tokens: value,
            generation: tokens.generation,
            sid: &tokens.sid,
            expires_at: tokens.grant.expires_at,
            expires_monotonic: tokens.expires_monotonic,
            mandatory: mandatory(&self.context.settings, &tokens.grant),
            advisory: advisory(&self.context.settings, &tokens.grant),
            overtaken: self.doubts() != looked,
        });
    }

    /// Runs work to its end, whatever becomes of its callers: these wait for `callTimeout` at most.
    pub(super) fn run(self: &Rc<Self>, shared: &Shared, flight: Option<(Mode, Ticket)>, mut work: Work) {
        let (coordinator, shared) = (self.clone(), shared.clone());
        self.running.set(self.running.get() + 1);
        let task = async move {
            let patience = coordinator.context.world.clock.patience(coordinator.options.limits.call);
            if let First::Right(()) = race(work.as_mut(), patience).await {
                if let Some((mode, ticket)) = flight {
                    coordinator.flights(mode).end(ticket);
                }
                shared.reject(&raise(&coordinator.embedder, &call_timeout()));
                work.await;
            }
            coordinator.running.set(coordinator.running.get() - 1);
            coordinator.context.world.journal.deliver();
            if coordinator.successor.is_empty() {
                coordinator.context.world.channel.rest();
            }
        };
        match &self.options.wait_until {
            None => spawn_local(task),
            Some(wait_until) => {
                let ended = future_to_promise(async move {
                    task.await;
                    Ok(JsValue::UNDEFINED)
                });
                let called = call(wait_until, &JsValue::UNDEFINED, &[&ended]);
                if called.is_err() {
                    // The work goes on, but the host may end with the response: a method handed over unbound, say.
                    self.context.degraded("waitUntil");
                }
                ignore(called);
            }
        }
    }

    /// May members of session mode be used?
    pub(super) fn session_mode(&self) -> Result<(), Wrong> {
        self.open()?;
        if self.options.needs_seal_key {
            return Err(Wrong {
                code: "seal-key-missing",
                message: "the option `sealKey` is required: the store is shared by several machines, and tokens must \
                          not lie there in the clear"
                    .to_owned(),
            });
        }
        Ok(())
    }

    /// Are new calls taken?
    pub(super) fn open(&self) -> Result<(), Wrong> {
        if !self.closed.get() {
            return Ok(());
        }
        Err(Wrong { code: "closed", message: "this coordinator was closed".to_owned() })
    }

    /// What was counted.
    pub fn stats(&self) -> JsValue {
        self.context.world.journal.stats()
    }

    /// This context may have missed what others said.
    pub fn wake(&self) {
        if !self.closed.get() {
            self.context.world.channel.wake();
        }
    }

    /// What the JavaScript half has noticed: the event `degraded`.
    pub fn degraded(&self, what: &str) {
        let Some(what) = NOTICED.into_iter().find(|known| *known == what) else { return };
        self.context.degraded(what);
        if self.running.get() == 0 {
            self.context.world.journal.deliver();
        }
    }

    /// Takes no new calls, and lets channel and watches go. What was sent already still commits.
    pub fn close(&self) {
        if !self.closed.replace(true) {
            self.context.world.close();
        }
    }
}

fn call_timeout() -> Failure {
    let message = "the call took longer than `callTimeout`; what it began goes on in the background";
    Failure::Transient {
        spent: Spent::Maybe,
        retry_at: None,
        details: Details::new(Fault::Host, "call-timeout", message),
    }
}
