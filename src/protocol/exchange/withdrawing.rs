//! Rule 8: no tokens, and no verdict on the session. Withdraw the intent, and say when the next may try.

use super::{Answer, Claimed, Exchange};
use crate::protocol::decide::withdrawal::withdrawn;
use crate::protocol::failure::Failure;
use crate::protocol::notice::What;
use crate::protocol::ports::{World, Written};
use crate::protocol::record::Record;
use crate::protocol::tokens::TokenSet;
use crate::protocol::verdict::{Class, Refusal};

/// How often a troubled store is asked to take the withdrawal. If it does not, our intent stands until its end.
const TRIES: u32 = 3;

impl<W: World> Exchange<'_, W> {
    pub(super) async fn withdraw(
        &mut self,
        claimed: Claimed<W::Prepared>,
        refusal: Refusal,
        fall_back: Option<TokenSet>,
    ) -> Result<Option<Answer>, Failure> {
        let written = self.write_withdrawal(&claimed, &refusal).await;
        let mut memory = self.context.memory_mut();
        if written.is_some() {
            memory.ended(&claimed.nonce)
        } else {
            memory.abandoned(&claimed.nonce)
        }
        drop(memory);
        let generation = claimed.record.generation;
        if refusal.class != Class::Transient {
            return self.set_back(&refusal, None, fall_back).map(Some);
        }
        let retry_at = written.and_then(|record| record.retry_at);
        self.notice(generation, What::Transient { retry_at });
        self.context.world.announce(self.key(), &claimed.record.sid, generation);
        if retry_at.is_none() || self.attempts > u32::from(self.context.settings.retries) {
            return self.set_back(&refusal, retry_at, fall_back).map(Some);
        }
        // The next look sees the cool-down, and decides whether it is worth waiting for.
        self.setback = Some(refusal);
        Ok(None)
    }

    /// Writes the withdrawal, only while the intent is ours. Nothing if it could not be written.
    async fn write_withdrawal(&mut self, claimed: &Claimed<W::Prepared>, refusal: &Refusal) -> Option<Record> {
        let lot = self.context.world.per_mille();
        let (mut record, mut version) = (claimed.record.clone(), claimed.version.clone());
        for _ in 0..TRIES {
            let next = withdrawn(&record, refusal, self.context.world.wall(), lot);
            if let Ok(Written::Done(_)) = self.write(&next, version.as_deref()).await {
                return Some(next);
            }
            let seen = match self.context.read(&self.entry.address).await {
                Ok(seen) => seen?,
                Err(_) => continue,
            };
            let ours = seen.record.intent.as_ref().is_some_and(|intent| intent.nonce == claimed.nonce);
            if !ours {
                // Written after all, or overtaken: either way the intent is not ours to withdraw any more.
                return (seen.record == next).then_some(next);
            }
            (record, version) = (seen.record, seen.version);
        }
        None
    }
}
