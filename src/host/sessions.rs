//! Sign-in, sign-out, and the revocations that follow.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;

use super::bell::Bell;
use super::coordinator::{Coordinator, Mode, Work};
use super::errors::{raise, raise_wrong};
use super::object::Members;
use super::race::{First, race};
use super::shared::Shared;
use super::tokens::{self, Freshness};
use crate::protocol::context::Carried;
use crate::protocol::failure::Failure;
use crate::protocol::ports::{Clock, TokenEndpoint};
use crate::protocol::revocation::Drained;
use crate::protocol::tokens::{Millis, Secret};

/// How long a sign-out waits for its revocation before it answers, in milliseconds.
const REVOCATION_PATIENCE: Millis = 10_000;

type Drain<'a> = Pin<Box<dyn Future<Output = Drained> + 'a>>;

/// Runs over the revocation queue follow one another: two at once would revoke every token twice.
#[derive(Default)]
pub(super) struct Drains {
    running: Cell<bool>,
    /// One more is waiting that nobody asked for; it will do for all.
    behind: Cell<bool>,
    ended: Bell,
}

impl Coordinator {
    /// Begins a session with these tokens, or merges them into the one that is there.
    pub fn set_tokens(self: &Rc<Self>, tokens: &JsValue) -> Promise {
        let now = self.context.world.clock.wall();
        let read = self.session_mode().and_then(|()| tokens::carried(tokens, now, Freshness::New));
        let carried = match read {
            Ok(carried) => carried,
            Err(wrong) => return Shared::rejected(&raise_wrong(&self.embedder, &wrong)),
        };
        // Nobody joins the open flights any more. Whether they are over depends on what the store says.
        let leaving = self.flights(Mode::Session).abandon();
        self.embedder.forget();
        self.entering.set(self.entering.get() + 1);
        let (coordinator, shared) = (self.clone(), Shared::new());
        let settling = shared.clone();
        let work = async move { coordinator.enter(carried, &leaving, &settling).await };
        self.run(&shared, None, Box::pin(work));
        shared.promise()
    }

    async fn enter(&self, carried: Carried, leaving: &[Shared], shared: &Shared) {
        let (before, looked) = (self.context.sid(), self.doubts());
        let entered = self.context.sign_in(carried, &self.options.params).await;
        if before != self.context.sid() {
            // An exchange may have filled the mirror meanwhile.
            self.embedder.forget();
        }
        if before.is_some() && before != self.context.sid() {
            self.turn_away(leaving, "another session took the place of this one");
        }
        self.entering.set(self.entering.get().saturating_sub(1));
        self.entered.ring(self.entered.count() + 1);
        match entered {
            Ok(tokens) => {
                let value = tokens::to_js(&tokens);
                self.hold(0, &tokens, &value, looked);
                shared.resolve(&value);
            }
            Err(failure) => shared.reject(&raise(&self.embedder, &failure)),
        }
    }

    /// Ends the session, or that of the tokens given.
    pub fn sign_out(self: &Rc<Self>, tokens: &JsValue) -> Promise {
        let read = if tokens.is_undefined() {
            self.session_mode().map(|()| None)
        } else {
            self.open().and_then(|()| self.carried(tokens, "signOut")).map(Some)
        };
        let carried = match read {
            Ok(carried) => carried,
            Err(wrong) => return Shared::rejected(&raise_wrong(&self.embedder, &wrong)),
        };
        let (coordinator, shared) = (self.clone(), Shared::new());
        let settling = shared.clone();
        let work: Work = match carried {
            Some((carried, presented)) => {
                Box::pin(async move { coordinator.leave_carried(&carried, &presented, &settling).await })
            }
            None => {
                self.turn_away(&self.flights(Mode::Session).abandon(), "the user signed out");
                self.embedder.leave();
                Box::pin(async move { coordinator.leave(&settling).await })
            }
        };
        self.run(&shared, None, work);
        shared.promise()
    }

    async fn leave(&self, shared: &Shared) {
        let left = self.context.sign_out().await;
        self.embedder.forget();
        match left {
            Ok(left) => self.report_revocation(left.queued, Box::pin(self.drain_in_turn()), shared).await,
            Err(failure) => shared.reject(&raise(&self.embedder, &failure)),
        }
    }

    async fn leave_carried(&self, carried: &Carried, presented: &Secret, shared: &Shared) {
        match self.context.sign_out_carried(carried).await {
            Ok(left) => {
                // The last entry of the chain has the queue.
                let holder = left.last.as_ref().unwrap_or(presented);
                let drain = Box::pin(self.context.drain_carried(holder, false));
                self.report_revocation(left.queued, drain, shared).await;
            }
            Err(failure) => shared.reject(&raise(&self.embedder, &failure)),
        }
    }

    /// The session is over for certain. Says whether its token is revoked too, as far as that is known in time.
    async fn report_revocation(&self, queued: usize, mut drain: Drain<'_>, shared: &Shared) {
        let answer = |revoked: bool| shared.resolve(&Members::new().set("revoked", revoked).done());
        if queued == 0 || !self.context.world.can_revoke() {
            return answer(false);
        }
        self.context.world.journal.deliver();
        let patience = REVOCATION_PATIENCE.min(self.options.limits.call / 2);
        match race(drain.as_mut(), self.context.world.clock.sleep(patience)).await {
            First::Left(drained) => answer(drained.revoked > 0 && drained.left == 0),
            First::Right(()) => {
                answer(false);
                drain.await;
            }
        }
    }

    /// Works off the tokens that are queued for revocation.
    pub fn drain(self: &Rc<Self>) -> Promise {
        if let Err(wrong) = self.session_mode() {
            return Shared::rejected(&raise_wrong(&self.embedder, &wrong));
        }
        let (coordinator, shared) = (self.clone(), Shared::new());
        let settling = shared.clone();
        let work = async move {
            let Drained { revoked, left } = coordinator.drain_in_turn().await;
            let answer = Members::new().set("revoked", revoked as f64).set("left", left as f64).done();
            settling.resolve(&answer);
        };
        self.run(&shared, None, Box::pin(work));
        shared.promise()
    }

    /// After an exchange: tokens that it could not keep are revoked, without anybody waiting for it.
    pub(super) async fn drain_behind(&self) {
        if self.context.world.can_revoke() && !self.drains.behind.replace(true) {
            self.drain_in_turn().await;
        }
    }

    async fn drain_in_turn(&self) -> Drained {
        while self.drains.running.get() {
            self.drains.ended.after(self.drains.ended.count()).await;
        }
        self.drains.running.set(true);
        self.drains.behind.set(false);
        let drained = self.context.drain().await;
        self.drains.running.set(false);
        self.drains.ended.ring(self.drains.ended.count() + 1);
        drained
    }

    /// Rejects flights whose session is over.
    fn turn_away(&self, flights: &[Shared], message: &str) {
        if flights.is_empty() {
            return;
        }
        let error = raise(&self.embedder, &Failure::no_session(message));
        for flight in flights {
            flight.reject(&error);
        }
    }
}
