//! Rule 7: refused. Read again, and say "revoked" only if nobody can hold a newer token.

use super::{Answer, Claimed, Exchange};
use crate::protocol::context::Seen;
use crate::protocol::decide::refusal::{AfterRefusal, after_refusal};
use crate::protocol::failure::Failure;
use crate::protocol::notice::What;
use crate::protocol::ports::{StoreFailure, Wait, Woken, World, Written};
use crate::protocol::safeguard::{Safeguard, dropped};
use crate::protocol::tokens::Millis;
use crate::protocol::verdict::{Reason, Refusal};

/// An owner that was taken over may be storing what it was granted: how long to leave it for that, in milliseconds.
const LATE_COMMIT: Millis = 1_200;
/// How often the record is read again before the refusal is reported as it stands.
const READINGS: u32 = 8;

impl<W: World> Exchange<'_, W> {
    pub(super) async fn refused(
        &mut self,
        claimed: Claimed<W::Prepared>,
        refusal: Refusal,
        reason: Reason,
    ) -> Result<Option<Answer>, Failure> {
        self.context.memory_mut().note_refusal(&claimed.record, refusal.clone());
        let result = self.weigh(&claimed, reason).await;
        let mut memory = self.context.memory_mut();
        match &result {
            Ok(Outcome::Rejected(_)) => memory.ended(&claimed.nonce),
            _ => memory.abandoned(&claimed.nonce),
        }
        drop(memory);
        match result {
            Ok(Outcome::Again) => Ok(None),
            Ok(Outcome::Rejected(reason)) => {
                self.notice(claimed.record.generation, What::Revoked { reason });
                self.context.world.announce(self.key(), &claimed.record.sid, claimed.record.generation);
                Err(Failure::Revoked { reason, details: refusal.details })
            }
            Ok(Outcome::Unknown) => Err(Failure::busy("contention", "the record keeps changing", None)),
            Err(failure) => Err(Failure::store(failure)),
        }
    }

    async fn weigh(&mut self, claimed: &Claimed<W::Prepared>, reason: Reason) -> Result<Outcome, StoreFailure> {
        let patience = self.context.world.lag().max(if claimed.taken_over { LATE_COMMIT } else { 0 });
        let (mut readings, mut until) = (0, None);
        while readings < READINGS {
            let heard = self.context.world.heard(self.key());
            let there = if dropped(Safeguard::ReadAfterRefusal) {
                Some(Seen { record: claimed.record.clone(), version: claimed.version.clone() })
            } else {
                self.context.read(&self.entry.address).await?
            };
            let record = there.as_ref().map(|seen| &seen.record);
            match after_refusal(record, &claimed.record, &claimed.nonce, reason, self.session_mode()) {
                AfterRefusal::Moved => return Ok(Outcome::Again),
                AfterRefusal::ForeignIntent => {
                    self.wait_for_change(heard, self.patience).await;
                    return Ok(Outcome::Again);
                }
                AfterRefusal::Switch(next) => {
                    let version = there.and_then(|seen| seen.version);
                    if let Written::Done(_) = self.write(&next, version.as_deref()).await? {
                        return Ok(Outcome::Again);
                    }
                }
                AfterRefusal::Reject(next, reason) => {
                    let now = self.context.world.monotonic();
                    let end = *until.get_or_insert(now + patience);
                    if now < end {
                        // All of the time, however often something wakes it before.
                        let wait = Wait { key: self.key(), lock: false, hint_after: Some(heard), until: end };
                        if let Woken::Dismissed = self.context.world.wait_any(wait).await {
                            until = Some(now);
                        }
                        // Against a clock that stands still.
                        readings += u32::from(self.context.world.monotonic() <= now);
                        continue;
                    }
                    let version = there.and_then(|seen| seen.version);
                    // After a conflict, or an unknown outcome, the next reading tells.
                    if let Ok(Written::Done(_)) = self.write(&next, version.as_deref()).await {
                        return Ok(Outcome::Rejected(reason));
                    }
                }
            }
            readings += 1;
        }
        Ok(Outcome::Unknown)
    }
}

/// What became of a refusal.
enum Outcome {
    /// The record has moved on: look again.
    Again,
    /// It stands, for this reason.
    Rejected(Reason),
    /// Every reading showed something else.
    Unknown,
}
