//! One exchange: the linear run of the protocol, rule by rule.
//!
//! ```text
//! look ──► queue ──► look again under the lock ──► claim ──► present ──► commit ──► announce ──► let go
//!   ▲                                                │          │
//!   └────────── whenever the record has moved on ────┴──────────┴─► refused: read again │ no verdict: withdraw
//! ```
//!
//! Every effect goes through a port and is awaited on its own; every decision is a function of [`super::decide`].
//! That makes the whole run a deterministic function of the replies it gets, which is what lets the search replay it.

mod claiming;
mod committing;
mod looking;
mod presenting;
mod refused;
mod withdrawing;

use super::context::{Call, Context, Seen};
use super::decide::backoff;
use super::decide::claim::Moment;
use super::decide::freshness::meets;
use super::demand::{Demand, Mark, Need};
use super::failure::Failure;
use super::names::params_key;
use super::notice::What;
use super::ports::{Address, LockScope, SLEPT, Wait, Woken, World};
use super::record::{Record, State};
use super::safeguard::{Safeguard, dropped};
use super::tokens::{Grant, Millis, Secret, TokenSet};
use super::verdict::{Class, Refusal, Verdict};

/// A record that keeps changing under our hands this often, one time after the other, is not worth more rounds.
const ROUNDS: u32 = 64;

/// How long after a look that failed there is another one, in milliseconds.
const SECOND_LOOK: Millis = 1_000;

/// Which record an exchange is about.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it lives.
    pub address: Address,
    /// Successor mode: the presented token.
    pub presented: Option<Secret>,
    /// Successor mode: the access token the caller carried beside it.
    pub carried: Option<Grant>,
    /// Successor mode: whom the carried id token names.
    pub subject: Option<String>,
    /// Successor mode: the caller cannot store what it gets.
    pub only_copy: bool,
}

/// How an exchange ends well.
#[derive(Clone, Debug)]
pub enum Answer {
    /// These tokens meet the demand.
    Tokens(TokenSet),
    /// Successor mode: the presented token is spent; this one replaced it.
    Follow(Secret),
}

/// The record as we claimed it: nobody else may present its token while our intent stands.
struct Claimed<P> {
    record: Record,
    version: Option<String>,
    nonce: String,
    /// Before the intent was written.
    began: Moment,
    /// Hints heard before the intent was written.
    heard: u64,
    /// The intent replaced that of an owner that is gone.
    taken_over: bool,
    /// The client authentication, until it is used.
    prepared: Option<P>,
}

/// Runs one exchange to its end.
///
/// # Errors
/// Every variant of [`Failure`].
pub async fn exchange<W: World>(
    context: &Context<W>,
    entry: &Entry,
    demand: &Demand,
    call: &Call<'_>,
) -> Result<Answer, Failure> {
    let mut exchange = Exchange::begin(context, entry, demand, call);
    let mut rounds = 0;
    while rounds < ROUNDS {
        let (wakings, began) = (exchange.wakings, context.world.monotonic());
        if let Some(answer) = exchange.round().await? {
            return Ok(answer);
        }
        // A wait is paid for with the caller's patience, while there is any.
        let has_paid = exchange.wakings > wakings && context.world.monotonic() > began && !exchange.out_of_patience();
        rounds = if has_paid { 0 } else { rounds + 1 };
    }
    Err(Failure::busy("contention", "the record keeps changing", None))
}

/// The state of one exchange between its rounds. Dropping it lets the lock go.
struct Exchange<'a, W: World> {
    context: &'a Context<W>,
    entry: &'a Entry,
    demand: &'a Demand,
    call: &'a Call<'a>,
    params_key: String,
    /// The session the call belongs to; nothing until it has met one.
    sid: Option<String>,
    held: Option<W::Held>,
    /// When the caller's patience ends, on the monotonic clock.
    patience: Millis,
    /// Presentations of this flight.
    attempts: u32,
    /// Intents that the store failed to write.
    unwritten: u32,
    retries_left: u8,
    /// Why the last presentation brought nothing: the caller should hear that rather than "cooling down".
    setback: Option<Refusal>,
    /// The first token seen: what a careless client would present (mutant only).
    captured: Option<Secret>,
    has_waited: bool,
    /// How often a wait for others has ended without the lock.
    wakings: u32,
    has_slept: bool,
    /// The last look failed, and was not told of.
    has_missed: bool,
    /// [`Memory::turns`](super::memory::Memory) before the last look.
    turns: u64,
}

impl<'a, W: World> Exchange<'a, W> {
    fn begin(context: &'a Context<W>, entry: &'a Entry, demand: &'a Demand, call: &'a Call<'a>) -> Self {
        if let Need::NotThis(access_token) = &demand.need {
            context.memory_mut().refuse(access_token);
        }
        Self {
            context,
            entry,
            demand,
            call,
            params_key: params_key(&demand.params),
            sid: call.sid.clone(),
            held: None,
            patience: context.world.monotonic() + context.settings.lock_wait,
            attempts: 0,
            unwritten: 0,
            retries_left: context.settings.retries,
            setback: None,
            captured: None,
            has_waited: false,
            wakings: 0,
            has_slept: false,
            has_missed: false,
            turns: 0,
        }
    }

    /// One round: from a look at the record to an answer, or to the next look.
    async fn round(&mut self) -> Result<Option<Answer>, Failure> {
        // Rule 1: subscribe, then read. What changes after this count wakes every wait below.
        let heard = self.context.world.heard(self.key());
        (self.call.on_look)();
        self.let_go_of_a_lost_lock();
        self.turns = self.context.memory().turns;
        let found = match self.read().await {
            Ok(found) => found,
            // Who waits looks more often than there is news: one such look may fail.
            Err(_) if self.wakings > 0 && !self.has_missed && !self.out_of_patience() => {
                self.has_missed = true;
                // Not for long: the server may grant a grace window, and the token wait in it to be sent again.
                self.wait_for_change(heard, self.context.world.monotonic() + SECOND_LOOK).await;
                return Ok(None);
            }
            Err(failure) => return self.without_store(failure).await.map(Some),
        };
        self.has_missed = false;
        let (seen, fall_back) = match self.look(found)? {
            looking::Looked::Answer(answer) => return Ok(Some(answer)),
            looking::Looked::Pause(until) => return self.pause(heard, until).await,
            looking::Looked::Present(seen, fall_back) => (seen, fall_back),
        };
        // Rule 2: queue for the lock; under the lock, rule 1 again.
        if self.lock_scope() != LockScope::None && self.held.is_none() {
            if seen.record.intent.is_some() {
                self.waits();
            }
            let passed_by = match self.queue(heard).await {
                Woken::Locked(held) => {
                    self.held = Some(held);
                    dropped(Safeguard::ReadUnderLock)
                }
                Woken::Hinted => {
                    // At an expiry nobody's intent is there yet when all of them look.
                    self.waits();
                    false
                }
                Woken::Unlockable => false,
                Woken::Elapsed if dropped(Safeguard::NoPassingBy) => true,
                Woken::Elapsed | Woken::Dismissed => return self.busy(fall_back).map(Some),
            };
            if !passed_by {
                return Ok(None);
            }
        }
        // Rule 3: claim.
        let mut claimed = match self.claim(seen, heard).await? {
            claiming::Claiming::Claimed(claimed) => claimed,
            claiming::Claiming::Again => return Ok(None),
            claiming::Claiming::Busy => return self.busy(fall_back).map(Some),
            claiming::Claiming::Unwritable(failure) => return self.without_store(failure).await.map(Some),
            claiming::Claiming::Unprepared(refusal) => return self.set_back(&refusal, None, fall_back).map(Some),
        };
        // Rules 4 and 5: present the token of the claimed record; the reply comes back judged.
        let Some((verdict, sent)) = self.present(&mut claimed).await else {
            self.context.memory_mut().abandoned(&claimed.nonce);
            return Ok(None);
        };
        // Rules 6, 7 and 8.
        match verdict {
            Verdict::Granted(granted) => self.commit(claimed, *granted, sent).await.map(Some),
            Verdict::Refused(refusal) => match refusal.class {
                Class::Revoked(reason) => self.refused(claimed, *refusal, reason).await,
                _ => self.withdraw(claimed, *refusal, fall_back).await,
            },
        }
    }

    fn key(&self) -> &'a str {
        &self.entry.address.key
    }

    fn session_mode(&self) -> bool {
        self.entry.presented.is_none()
    }

    fn notice(&self, generation: u64, what: What) {
        self.context.notice(self.key(), generation, what);
    }

    fn lock_scope(&self) -> LockScope {
        if dropped(Safeguard::Lock) { LockScope::None } else { self.context.world.scope(self.key()) }
    }

    /// Do we hold a lock that covers everybody who shares the store?
    fn covered(&self) -> bool {
        self.holds() && self.lock_scope() == LockScope::Covering
    }

    /// A lock may be stolen, and a page loses its locks when it goes to rest.
    fn holds(&self) -> bool {
        self.held.as_ref().is_some_and(|held| self.context.world.still_held(held))
    }

    /// It is asked for again: it tells nothing of an owner that got it since.
    fn let_go_of_a_lost_lock(&mut self) {
        if !self.holds() {
            self.held = None;
        }
    }

    async fn queue(&mut self, heard: u64) -> Woken<W::Held> {
        let wait = Wait { key: self.key(), lock: true, hint_after: Some(heard), until: self.patience };
        self.wait(wait).await
    }

    /// Waits. A page that was at rest and a computer that was asleep have not waited: then the caller's patience begins anew.
    /// Only once, so that nobody waits for ever where it happens again and again.
    async fn wait(&mut self, wait: Wait<'_>) -> Woken<W::Held> {
        let until = wait.until;
        let woken = self.context.world.wait_any(wait).await;
        self.wakings += u32::from(!matches!(woken, Woken::Locked(_)));
        let now = self.context.world.monotonic();
        if self.has_slept || now - until < SLEPT {
            return woken;
        }
        (self.has_slept, self.patience) = (true, now + self.context.settings.lock_wait);
        if let Woken::Elapsed = woken { Woken::Hinted } else { woken }
    }

    /// Waits without the lock for something to change.
    async fn wait_for_change(&mut self, heard: u64, until: Millis) {
        self.held = None;
        self.waits();
        let until = until.min(self.patience);
        let wait = Wait { key: self.key(), lock: false, hint_after: Some(heard), until };
        if let Woken::Dismissed = self.wait(wait).await {
            (self.patience, self.retries_left) = (self.context.world.monotonic(), 0);
        }
    }

    /// Says once that this flight waits for others.
    fn waits(&mut self) {
        if !self.has_waited {
            self.has_waited = true;
            let generation = self.context.memory().last.as_ref().map_or(0, |last| last.generation);
            self.notice(generation, What::Waiting);
        }
    }

    fn out_of_patience(&self) -> bool {
        self.context.world.monotonic() >= self.patience
    }

    /// Waits out a short cool-down, then looks again.
    async fn pause(&mut self, heard: u64, until: Millis) -> Result<Option<Answer>, Failure> {
        let now = self.context.moment();
        let end = now.monotonic + (until - now.wall);
        self.wait_for_change(heard, end).await;
        // A hint wakes early, and some timers end early: neither costs an attempt.
        if self.context.world.monotonic() >= end || self.out_of_patience() {
            self.retries_left = self.retries_left.saturating_sub(1);
        }
        Ok(None)
    }

    /// The caller's patience has ended while somebody else was at it.
    fn busy(&self, fall_back: Option<TokenSet>) -> Result<Answer, Failure> {
        let message = "another tab, worker or process is refreshing this session and has not finished in time";
        self.fall_back_or(fall_back, || Failure::busy("busy", message, None))
    }

    /// The presentation, or what must come before it, brought nothing that ends the session.
    fn set_back(
        &self,
        refusal: &Refusal,
        retry_at: Option<Millis>,
        fall_back: Option<TokenSet>,
    ) -> Result<Answer, Failure> {
        self.let_stand(refusal);
        self.fall_back_or(fall_back, || Failure::refused(refusal, retry_at))
    }

    /// What only a developer or the user can mend is answered from memory for a while.
    fn let_stand(&self, refusal: &Refusal) {
        if matches!(refusal.class, Class::Interaction | Class::Configuration) {
            let until = self.context.world.monotonic() + backoff::STANDING_FAILURE;
            let failure = Failure::refused(refusal, None);
            self.context.memory_mut().cool_down(self.key(), &self.params_key, until, failure);
        }
    }

    fn fall_back_or(&self, fall_back: Option<TokenSet>, failure: impl FnOnce() -> Failure) -> Result<Answer, Failure> {
        match fall_back.filter(|tokens| self.is_alive(tokens)) {
            Some(tokens) => Ok(self.hand_out(tokens)),
            None => Err(failure()),
        }
    }

    /// What could be served before a wait or a request may have ended during it.
    fn is_alive(&self, tokens: &TokenSet) -> bool {
        let refused = self.context.memory().refused().to_vec();
        self.knowledge(&tokens.sid, Some(&tokens.grant), &refused).is_alive(&tokens.grant)
    }

    /// The answer to the caller; in session mode this context remembers it.
    fn hand_out(&self, tokens: TokenSet) -> Answer {
        if !self.session_mode() {
            return Answer::Tokens(tokens);
        }
        let tokens = self.overtaken(&tokens).unwrap_or(tokens);
        let mark = Mark::of(&tokens.grant);
        self.context.memory_mut().hand(&self.params_key, mark);
        Answer::Tokens(tokens)
    }

    /// A slow read may come back with what another exchange of this context has replaced meanwhile: then the newer tokens,
    /// with the refresh token that lives.
    fn overtaken(&self, tokens: &TokenSet) -> Option<TokenSet> {
        let last = self.context.memory().last.clone()?;
        let newer = last.sid == tokens.sid && last.generation > tokens.generation && last.state == State::Active;
        let grant = last.grants.get(&self.params_key).filter(|_| newer)?;
        let refused = self.context.memory().refused().to_vec();
        let fresh =
            meets(&Need::Valid, grant, &self.context.settings, &self.knowledge(&last.sid, Some(grant), &refused));
        fresh.then(|| self.context.token_set(&last, grant))
    }

    /// Remembers the session's record for the time the store is away.
    fn remember(&self, seen: &Seen) {
        if self.session_mode() {
            self.context.memory_mut().remember(&seen.record);
        }
    }
}
