//! Rule 1: read the record, and see whether the call can be settled by it.

use super::{Answer, Exchange};
use crate::protocol::context::Seen;
use crate::protocol::decide::backoff::WORTH_WAITING;
use crate::protocol::decide::freshness::{Knowledge, left_to_lose, may_fall_back, meets};
use crate::protocol::decide::look::{Look, Viewpoint, look};
use crate::protocol::demand::{Mark, Need};
use crate::protocol::failure::Failure;
use crate::protocol::notice::What;
use crate::protocol::ports::{StoreFailure, World};
use crate::protocol::record::{Record, State};
use crate::protocol::safeguard::{Safeguard, dropped};
use crate::protocol::settings::OnStoreFailure;
use crate::protocol::tokens::{Grant, Millis, Secret, TokenSet};
use crate::protocol::verdict::{Class, Reason, Verdict};

/// What a look leads to.
pub(super) enum Looked {
    Answer(Answer),
    /// A short cool-down, until this moment of the wall clock.
    Pause(Millis),
    /// The token has to be presented; the tokens may serve the call while that is not possible.
    Present(Seen, Option<TokenSet>),
}

/// What the store has under the entry's key.
pub(super) enum Found {
    Record(Seen),
    /// Session mode: nothing.
    Nothing,
    /// Successor mode: nothing but the mark that the presented token is spent.
    Spent,
}

impl<W: World> Exchange<'_, W> {
    /// Reads the record; in successor mode an absent one stands for generation 0 of the presented token.
    pub(super) async fn read(&mut self) -> Result<Found, StoreFailure> {
        let seen = self.context.read(&self.entry.address).await?;
        let Some(presented) = &self.entry.presented else {
            return Ok(seen.map_or(Found::Nothing, Found::Record));
        };
        if let Some(seen) = seen.filter(remembered) {
            return Ok(Found::Record(seen));
        }
        let mark = self.context.names.spent(presented);
        if self.context.world.read(&mark).await?.is_some() && !dropped(Safeguard::SuccessorMemory) {
            // The mark is written after the entry: somebody may have written both since we found no entry.
            let again = self.context.read(&self.entry.address).await?;
            return Ok(again.map_or(Found::Spent, Found::Record));
        }
        let mut record = Record::begun(self.key().to_owned(), Some(presented.clone()));
        if let Some(carried) = &self.entry.carried {
            record.grants.insert(self.params_key.clone(), carried.clone());
        }
        record.sub.clone_from(&self.entry.subject);
        Ok(Found::Record(Seen { record, version: None }))
    }

    /// Judges what was found.
    pub(super) fn look(&mut self, found: Found) -> Result<Looked, Failure> {
        let seen = match found {
            Found::Record(seen) => seen,
            Found::Nothing => return Err(self.no_session(None)),
            Found::Spent => return Err(Failure::revoked(Reason::Superseded)),
        };
        if self.session_mode() && self.context.memory().has_left(&seen.record.sid) {
            return Err(self.no_session(None));
        }
        self.meet(&seen);
        let (answer, fall_back) = self.judge(&seen)?;
        if let Some(answer) = answer {
            return Ok(answer);
        }
        let obstacle = self.standing_failure().or_else(|| self.nothing_to_present(&seen.record));
        if let Some(failure) = obstacle {
            return self.fall_back_or(fall_back, || failure).map(Looked::Answer);
        }
        Ok(Looked::Present(seen, fall_back))
    }

    /// A call belongs to the first session it meets.
    fn meet(&mut self, seen: &Seen) {
        if !self.session_mode() || seen.record.state == State::Out {
            return;
        }
        if self.sid.is_none() {
            self.sid = Some(seen.record.sid.clone());
        }
        if self.is_news() {
            let taken_up = self.context.memory_mut().take_up(Some(&seen.record.sid));
            if taken_up && self.sid.as_ref() != Some(&seen.record.sid) {
                self.notice(seen.record.generation, What::SignedIn);
            }
            self.remember(seen);
        }
        if dropped(Safeguard::TokenFromRecord) && self.captured.is_none() {
            self.captured.clone_from(&seen.record.refresh_token);
        }
    }

    /// Has nobody signed in or out in this context since the record was read? Otherwise it says nothing new to the context.
    fn is_news(&self) -> bool {
        self.context.memory().turns == self.turns || dropped(Safeguard::Turns)
    }

    fn judge(&mut self, seen: &Seen) -> Result<(Option<Looked>, Option<TokenSet>), Failure> {
        let context = self.context;
        let (record, grant) = (&seen.record, seen.record.grants.get(&self.params_key));
        let refused = context.memory().refused().to_vec();
        let known = self.knowledge(&record.sid, grant, &refused);
        let view = Viewpoint {
            sid: self.sid.as_deref(),
            presented: self.entry.presented.as_ref(),
            need: &self.demand.need,
            params_key: &self.params_key,
            known,
        };
        let fall_back_set = |grant: Option<&Grant>| grant.map(|grant| context.token_set(record, grant));
        match look(record, &view, &context.settings) {
            Look::NoSession => Err(self.no_session(Some(record))),
            Look::Revoked(reason) => Err(Failure::revoked(reason)),
            Look::Adopt(grant) => Ok((Some(Looked::Answer(self.adopt(record, grant))), None)),
            Look::Follow(successor) => Ok((Some(Looked::Answer(Answer::Follow(successor.clone()))), None)),
            Look::Cooling { until, sparing, fall_back } => {
                let short = until - known.wall <= WORTH_WAITING && self.retries_left > 0 && !sparing;
                if short && fall_back.is_none() {
                    return Ok((Some(Looked::Pause(until)), None));
                }
                let fall_back = fall_back_set(fall_back);
                let answer = self.fall_back_or(fall_back, || self.cooling(until, sparing))?;
                Ok((Some(Looked::Answer(answer)), None))
            }
            Look::Present { fall_back } => Ok((None, fall_back_set(fall_back))),
        }
    }

    pub(super) fn knowledge<'k>(&self, sid: &str, grant: Option<&Grant>, refused: &'k [Secret]) -> Knowledge<'k> {
        let now = self.context.moment();
        let end = grant.and_then(|grant| self.context.memory().end(sid, grant));
        Knowledge { wall: now.wall, monotonic_left: end.map(|end| end - now.monotonic), refused }
    }

    /// What is in the record meets the demand.
    fn adopt(&self, record: &Record, grant: &Grant) -> Answer {
        let news = self.session_mode() && self.context.memory().handed(&self.params_key) != Some(Mark::of(grant));
        if news && (self.has_waited || self.held.is_some() || record.generation > 0) {
            self.notice(record.generation, What::Adopted);
        }
        self.hand_out(self.context.token_set(record, grant))
    }

    /// The call's session is not there (any more). What is there now is the context's from here on.
    fn no_session(&self, there: Option<&Record>) -> Failure {
        let live = there.filter(|record| record.state == State::Active).map(|record| record.sid.as_str());
        if self.session_mode() && self.is_news() {
            self.context.memory_mut().take_up(live);
        }
        Failure::no_session("nobody is signed in, or the user has signed out")
    }

    fn cooling(&self, until: Millis, sparing: bool) -> Failure {
        if let Some(setback) = &self.setback {
            return Failure::refused(setback, Some(until));
        }
        let message = if sparing {
            "an earlier attempt had no known outcome; the next one waits, since it could cost the tokens that are valid"
        } else {
            "an earlier attempt failed; nobody tries again before retryAt"
        };
        Failure::busy("cooling-down", message, Some(until))
    }

    /// A failure of the last seconds that only a developer or the user can mend.
    fn standing_failure(&self) -> Option<Failure> {
        self.context.memory().cooling(self.key(), &self.params_key, self.context.world.monotonic())
    }

    /// Without a refresh token nobody can be asked for anything. That ends the session only once nothing in it lives any
    /// more: the access token that is left may still be good elsewhere.
    fn nothing_to_present(&self, record: &Record) -> Option<Failure> {
        let lives = || left_to_lose(record, &self.knowledge(&record.sid, None, &[])).is_some();
        let stuck = record.refresh_token.is_none() && self.context.world.needs_token() && lives();
        stuck.then(Failure::no_refresh_token)
    }

    /// The store is away. A valid token from memory may still serve; only by option a token is presented unclaimed.
    pub(super) async fn without_store(&mut self, failure: StoreFailure) -> Result<Answer, Failure> {
        let last = self.context.memory().last.clone();
        let last = last.filter(|record| self.session_mode() && self.sid.as_ref().is_none_or(|sid| *sid == record.sid));
        let Some(record) = last.filter(|record| record.state == State::Active) else {
            return Err(Failure::store(failure));
        };
        if let Some(grant) = record.grants.get(&self.params_key) {
            let refused = self.context.memory().refused().to_vec();
            let known = self.knowledge(&record.sid, Some(grant), &refused);
            let need = &self.demand.need;
            if meets(need, grant, &self.context.settings, &known) || may_fall_back(need, grant, &known) {
                return Ok(self.hand_out(self.context.token_set(&record, grant)));
            }
        }
        if self.context.settings.on_store_failure == OnStoreFailure::Closed || matches!(self.demand.need, Need::Ahead) {
            return Err(Failure::store(failure));
        }
        self.notice(record.generation, What::Degraded { what: "claim" });
        match self.present_unclaimed(record).await? {
            (claimed, Verdict::Granted(granted), sent) => self.commit(claimed, *granted, sent).await,
            (_, Verdict::Refused(refusal), _) => {
                // Whether the session is over cannot be known while the record cannot be read.
                self.context.memory_mut().last = None;
                let retry_at = refusal.retry_after.map(|wait| self.context.world.wall() + wait);
                match refusal.class {
                    Class::Revoked(_) => Err(Failure::store(failure)),
                    _ => Err(Failure::refused(&refusal, retry_at)),
                }
            }
        }
    }
}

/// Always, but for the mutant that forgets what became of a spent token.
fn remembered(seen: &Seen) -> bool {
    seen.record.generation == 0 || !dropped(Safeguard::SuccessorMemory)
}
