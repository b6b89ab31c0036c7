//! Rule 3: write the intent, take over from an owner that is gone, or wait for one that may live.

use super::{Claimed, Exchange};
use crate::protocol::context::Seen;
use crate::protocol::decide::claim::{Claim, Owner, TakenOver, claim, claimed, take_over};
use crate::protocol::decide::commit::time_to_live;
use crate::protocol::failure::Failure;
use crate::protocol::notice::What;
use crate::protocol::ports::{StoreFailure, World, Written};
use crate::protocol::record::Record;
use crate::protocol::safeguard::{Safeguard, dropped};
use crate::protocol::sign_in::FAILURES;
use crate::protocol::verdict::Refusal;

/// How the attempt to claim ends.
pub(super) enum Claiming<P> {
    Claimed(Claimed<P>),
    /// Something has changed: rule 1.
    Again,
    /// Somebody else is at it, and the caller's patience has ended.
    Busy,
    /// The client authentication could not be computed.
    Unprepared(Refusal),
    /// The intent cannot be written.
    Unwritable(StoreFailure),
}

impl<W: World> Exchange<'_, W> {
    pub(super) async fn claim(&mut self, seen: Seen, heard: u64) -> Result<Claiming<W::Prepared>, Failure> {
        let Some((base, taken_over)) = self.displace(&seen, heard).await? else {
            return Ok(if self.out_of_patience() { Claiming::Busy } else { Claiming::Again });
        };
        // User code may run before the claim, never between claim and commit.
        let prepared = match self.context.world.prepare(self.attempts + 1).await {
            Ok(prepared) => prepared,
            Err(refusal) => return Ok(Claiming::Unprepared(refusal)),
        };
        let world = &self.context.world;
        let (began, heard, nonce) = (self.context.moment(), world.heard(self.key()), world.nonce());
        let duration = self.context.settings.intent_duration_with(world.lag());
        let record = claimed(&base, nonce.clone(), self.covered(), began.wall, duration);
        let claimed = |record, version| Claimed {
            record,
            version,
            nonce: nonce.clone(),
            began,
            heard,
            taken_over,
            prepared: Some(prepared),
        };
        if dropped(Safeguard::Claim) {
            return Ok(Claiming::Claimed(claimed(base, seen.version)));
        }
        self.context.memory_mut().claiming(&nonce);
        let mut failed = None;
        let mine = match self.write(&record, seen.version.as_deref()).await {
            Ok(Written::Done(version)) => Some((record, Some(version))),
            Ok(Written::Conflict) => None,
            Err(failure) => {
                failed = Some(failure);
                self.find_claim(&nonce, record.intent.as_ref().map_or(0, |intent| intent.deadline)).await
            }
        };
        match mine {
            Some((record, version)) => {
                if taken_over {
                    self.notice(record.generation, What::TakenOver);
                }
                Ok(Claiming::Claimed(claimed(record, version)))
            }
            None => {
                self.context.memory_mut().abandoned(&nonce);
                self.unwritten += u32::from(failed.is_some());
                Ok(failed.filter(|_| self.unwritten >= FAILURES).map_or(Claiming::Again, Claiming::Unwritable))
            }
        }
    }

    /// The record as it is without its present owner, if that one is gone. Nothing: wait over, look again.
    async fn displace(&mut self, seen: &Seen, heard: u64) -> Result<Option<(Record, bool)>, Failure> {
        let now = self.context.moment();
        let record = &seen.record;
        let owner = match &record.intent {
            Some(intent) => self.context.memory_mut().owner(self.key(), intent, now.monotonic),
            None => Owner::OursUnsent,
        };
        match claim(record.intent.as_ref(), owner, self.covered()) {
            Claim::Free => Ok(Some((record.clone(), false))),
            Claim::Wait(left) => {
                self.wait_for_change(heard, now.monotonic + left).await;
                Ok(None)
            }
            // Who was watched may hold a reply, and could not store it, as little as we could write. It has its turn first: a
            // write that changes nothing shows that writes are taken again, and from then on it is watched once more.
            Claim::TakeOver if self.may_be_unable_to_commit(record, owner) => {
                self.write(record, seen.version.as_deref()).await.map_err(Failure::store)?;
                Ok(None)
            }
            Claim::TakeOver => {
                let refused = self.context.memory().refused().to_vec();
                let known = self.knowledge(&record.sid, record.grants.get(&self.params_key), &refused);
                let lot = self.context.world.per_mille();
                match take_over(record, &self.context.settings, &known, lot) {
                    TakenOver::Present(next) => Ok(Some((next, true))),
                    TakenOver::Wait(next) => {
                        // Whatever comes of it, the next look sees it.
                        let written = self.write(&next, seen.version.as_deref()).await.map_err(Failure::store)?;
                        if let Written::Done(_) = written {
                            self.notice(record.generation, What::TakenOver);
                        }
                        Ok(None)
                    }
                }
            }
        }
    }

    /// An owner that no lock has shown to be gone, while the store refuses writes.
    fn may_be_unable_to_commit(&self, record: &Record, owner: Owner) -> bool {
        let by_lock = self.covered() && record.intent.as_ref().is_some_and(|intent| intent.locked);
        matches!(owner, Owner::Foreign { .. }) && !by_lock && self.context.memory().watched.store_refuses()
    }

    /// After a claim of unknown outcome: it is ours only if it has the nonce of this very attempt and still stands.
    async fn find_claim(&mut self, nonce: &str, deadline: i64) -> Option<(Record, Option<String>)> {
        let seen = self.context.read(&self.entry.address).await.ok()??;
        let stands = seen.record.intent.as_ref().is_some_and(|intent| self.context.memory().stands_for(intent, nonce));
        let foreign = self.session_mode() && self.sid.as_ref().is_some_and(|sid| *sid != seen.record.sid);
        (stands && !foreign && self.context.world.wall() < deadline).then_some((seen.record, seen.version))
    }

    /// Writes the entry's record if its version still is the one named.
    pub(super) async fn write(&self, record: &Record, if_version: Option<&str>) -> Result<Written, StoreFailure> {
        let ttl = (!self.session_mode()).then(|| time_to_live(record, self.context.world.wall(), self.entry.only_copy));
        let written =
            self.context.world.write(&self.entry.address, &record.encode(), record.generation, if_version, ttl).await;
        match &written {
            Ok(Written::Done(_)) => self.context.memory_mut().watched.store_wrote(self.context.world.monotonic()),
            Ok(Written::Conflict) => {}
            Err(_) => {
                self.context.memory_mut().watched.store_refused();
                self.notice(record.generation, What::StoreFailed { operation: "write" });
            }
        }
        written
    }
}
