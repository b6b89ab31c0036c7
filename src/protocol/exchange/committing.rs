//! Rule 6: make what was granted durable, before anything else looks at it.

use super::{Answer, Claimed, Exchange};
use crate::protocol::decide::backoff::cool_down;
use crate::protocol::decide::claim::Moment;
use crate::protocol::decide::commit::{
    AfterConflict, SPENT_REMEMBERED, after_conflict, changes_identity, committed, rejected_for_identity,
};
use crate::protocol::decide::freshness::meets;
use crate::protocol::failure::Failure;
use crate::protocol::notice::What;
use crate::protocol::ports::{StoreFailure, Wait, Woken, World, Written};
use crate::protocol::record::{Record, State};
use crate::protocol::safeguard::{Safeguard, dropped};
use crate::protocol::tokens::{Grant, Secret, TokenSet};
use crate::protocol::verdict::{Granted, Reason};

/// What the record being written will mean once it is durable.
enum Ending {
    /// Our tokens are the session's.
    Ours,
    /// The session is over; our token is queued for revocation.
    SignedOut,
    /// Another context went on; its tokens are the session's.
    Theirs(Box<Record>),
    /// The reply was for another user.
    OtherUser,
}

impl<W: World> Exchange<'_, W> {
    /// Commits what was granted, and answers with the tokens that are the session's afterwards.
    pub(super) async fn commit(
        &mut self,
        claimed: Claimed<W::Prepared>,
        granted: Granted,
        sent: Moment,
    ) -> Result<Answer, Failure> {
        let can_revoke = self.context.world.can_revoke();
        let (ours, mut ending) = if changes_identity(&claimed.record, &granted) {
            (rejected_for_identity(&claimed.record, &granted, can_revoke), Ending::OtherUser)
        } else {
            let queue_replaced = self.context.settings.revoke_replaced && can_revoke;
            let settings = &self.context.settings;
            let ours = committed(&claimed.record, &granted, &self.params_key, sent, settings, queue_replaced);
            (ours, Ending::Ours)
        };
        let tokens = self.tokens_of(&ours, sent);
        let persisted = self.persist(&claimed, &ours, &mut ending, tokens.as_ref()).await;
        if let Err(failure) = persisted {
            // As if this context had crashed: the next owner counts a send of unknown outcome.
            self.context.memory_mut().abandoned(&claimed.nonce);
            self.notice(ours.generation, What::StoreFailed { operation: "commit" });
            return Err(Failure::store(failure));
        }
        self.context.memory_mut().ended(&claimed.nonce);
        self.conclude(&claimed, &ours, ending, tokens).await
    }

    /// Writes until it is durable, overtaken or over. Gives up only if the context was closed and the store does not come back.
    async fn persist(
        &mut self,
        claimed: &Claimed<W::Prepared>,
        ours: &Record,
        ending: &mut Ending,
        tokens: Option<&TokenSet>,
    ) -> Result<(), StoreFailure> {
        let can_revoke = self.context.world.can_revoke();
        let mut next = ours.clone();
        let mut version = claimed.version.clone();
        let mut failures = 0;
        loop {
            (self.call.on_look)();
            match self.write(&next, version.as_deref()).await {
                Ok(Written::Done(_)) => return Ok(()),
                outcome => {
                    if dropped(Safeguard::HoldUntilDurable) {
                        self.held = None;
                    }
                    if dropped(Safeguard::EarlyWhileAlive) {
                        self.hand_over(tokens);
                    }
                    if let Some(failure) = outcome.err().filter(|_| failures > 0) {
                        self.rest(failures, failure).await?;
                    }
                    failures = failures.saturating_add(1);
                }
            }
            let there = self.read_for_commit(&mut failures, tokens).await?;
            version = there.as_ref().and_then(|(_, version)| version.clone());
            let there = there.map(|(record, _)| record);
            match after_conflict(there.as_ref(), ours, &self.params_key, self.session_mode(), can_revoke) {
                AfterConflict::Durable => return Ok(()),
                AfterConflict::Discard(record) => (next, *ending) = (*record, Ending::SignedOut),
                AfterConflict::SignedOut => {
                    *ending = Ending::SignedOut;
                    return Ok(());
                }
                AfterConflict::Overtaken(spare) => {
                    let theirs = there.unwrap_or_else(|| ours.clone());
                    *ending = Ending::Theirs(Box::new(theirs));
                    match spare {
                        Some(record) => next = *record,
                        None => return Ok(()),
                    }
                }
                AfterConflict::WriteOurs(record) => {
                    next = *record;
                    // A reply for another user never becomes the session's, however often it has to be written.
                    *ending = if ours.state == State::Rejected { Ending::OtherUser } else { Ending::Ours };
                    if matches!(ending, Ending::Ours) {
                        // The session lives and the tokens are its own; only the store has trouble.
                        self.hand_over(tokens);
                    }
                }
            }
        }
    }

    /// The exchange is durable, overtaken or over: tell the others, then the caller.
    async fn conclude(
        &mut self,
        claimed: &Claimed<W::Prepared>,
        ours: &Record,
        ending: Ending,
        tokens: Option<TokenSet>,
    ) -> Result<Answer, Failure> {
        let world = &self.context.world;
        match ending {
            Ending::Ours => {
                self.mark_spent(claimed, ours).await;
                if self.session_mode() {
                    self.context.memory_mut().remember(ours);
                }
                self.notice(ours.generation, What::Refreshed);
                world.announce(self.key(), &ours.sid, ours.generation);
                tokens.map(|tokens| self.hand_out(tokens)).ok_or_else(|| Failure::revoked(Reason::Unknown))
            }
            Ending::SignedOut => {
                world.announce(self.key(), &ours.sid, ours.generation);
                // Who has taken up the next session meanwhile stays in it.
                if self.session_mode() && self.context.sid().as_deref() == Some(&ours.sid) {
                    self.context.memory_mut().take_up(None);
                }
                Err(Failure::no_session("the user signed out while the refresh was under way"))
            }
            Ending::Theirs(theirs) => match self.grant_that_meets(&theirs) {
                Some(grant) => {
                    self.notice(theirs.generation, What::Adopted);
                    Ok(self.hand_out(self.context.token_set(&theirs, grant)))
                }
                // Theirs is for other parameters, or minted before this call; ours was granted, and is a good answer for
                // as long as it lives. The refresh token is the session's, whoever obtained it.
                None => {
                    let lives = theirs.state == State::Active;
                    let refresh_token = theirs.refresh_token.clone().filter(|_| lives);
                    // Nothing in a reply for another user is of use. The session may live all the same.
                    let none = || match lives {
                        true => {
                            Failure::busy("contention", "another context has refreshed the session meanwhile", None)
                        }
                        false => Failure::revoked(theirs.rejected_for()),
                    };
                    let tokens = tokens.ok_or_else(none)?;
                    let refresh_token = refresh_token.or_else(|| tokens.refresh_token.clone());
                    Ok(self.hand_out(TokenSet { refresh_token, ..tokens }))
                }
            },
            Ending::OtherUser => {
                self.notice(ours.generation, What::Revoked { reason: Reason::Unknown });
                world.announce(self.key(), &ours.sid, ours.generation);
                let mut failure = Failure::revoked(Reason::Unknown);
                if let Failure::Revoked { details, .. } = &mut failure {
                    details.message = "the reply was for another user than the session's".into();
                    details.code = "identity-changed".into();
                }
                Err(failure)
            }
        }
    }

    /// The grant of another context's record that meets the demand of this call.
    fn grant_that_meets<'r>(&self, theirs: &'r Record) -> Option<&'r Grant> {
        let grant = theirs.grants.get(&self.params_key)?;
        let refused = self.context.memory().refused().to_vec();
        let known = self.knowledge(&theirs.sid, Some(grant), &refused);
        meets(&self.demand.need, grant, &self.context.settings, &known).then_some(grant)
    }

    /// What the callers get, counted from the moment the request was sent.
    fn tokens_of(&self, ours: &Record, sent: Moment) -> Option<TokenSet> {
        let grant = ours.grants.get(&self.params_key)?;
        let end = sent.monotonic.saturating_add(grant.lifetime());
        self.context.memory_mut().note_end(&ours.sid, grant, end);
        Some(self.context.token_set(ours, grant))
    }

    /// Reads until the store answers: the lock stays held, for only we hold the new token.
    async fn read_for_commit(
        &mut self,
        failures: &mut u8,
        tokens: Option<&TokenSet>,
    ) -> Result<Option<(Record, Option<String>)>, StoreFailure> {
        loop {
            match self.context.read(&self.entry.address).await {
                Ok(seen) => return Ok(seen.map(|seen| (seen.record, seen.version))),
                Err(failure) => {
                    // The store is away: the callers need not wait for it to come back.
                    self.hand_over(tokens);
                    *failures = failures.saturating_add(1);
                    self.rest(*failures, failure).await?;
                }
            }
        }
    }

    /// Gives the callers their tokens although these are not durable yet.
    fn hand_over(&self, tokens: Option<&TokenSet>) {
        if let Some(tokens) = tokens {
            (self.call.on_tokens)(tokens);
        }
    }

    /// Lets a troubled store rest, at most some seconds, and never for as long as others watch the intent. Fails if there is
    /// nobody left to try again.
    async fn rest(&self, failures: u8, failure: StoreFailure) -> Result<(), StoreFailure> {
        let world = &self.context.world;
        let longest = self.context.settings.intent_duration() / 3;
        let until = world.monotonic() + cool_down(failures.min(2), world.per_mille()).min(longest);
        match world.wait_any(Wait { key: self.key(), lock: false, hint_after: None, until }).await {
            Woken::Dismissed => Err(failure),
            _ => Ok(()),
        }
    }

    /// Successor mode: leaves a mark that outlives the successor's entry. Losing it costs one refusal, so a failing
    /// store is not waited for.
    async fn mark_spent(&self, claimed: &Claimed<W::Prepared>, ours: &Record) {
        let Some(presented) = self.entry.presented.as_ref().filter(|_| rotated(claimed, ours)) else { return };
        let mark = self.context.names.spent(presented);
        let ttl = Some(SPENT_REMEMBERED);
        if self.context.world.write(&mark, "spent", 0, None, ttl).await.is_err() {
            self.notice(ours.generation, What::StoreFailed { operation: "write" });
        }
    }
}

fn rotated<P>(claimed: &Claimed<P>, ours: &Record) -> bool {
    let token = |record: &Record| -> Option<Secret> { record.refresh_token.clone() };
    token(&claimed.record) != token(ours)
}
