//! Rule 8: no tokens, and no verdict on the session. Withdraw the intent, and say when the next may try. Who was overtaken
//! meanwhile has nothing to withdraw: it looks again.

use super::{Answer, Claimed, Exchange};
use crate::protocol::decide::withdrawal::withdrawn;
use crate::protocol::failure::Failure;
use crate::protocol::notice::What;
use crate::protocol::ports::{World, Written};
use crate::protocol::tokens::{Millis, TokenSet};
use crate::protocol::verdict::{Class, Refusal};

/// How often a troubled store is asked to take the withdrawal. If it does not, our intent stands until its end.
const TRIES: u32 = 3;

/// What became of the intent.
enum Withdrawal {
    /// It is out of the record, which says now when the next may try.
    Written(Option<Millis>),
    /// It was gone already: the record has moved on without us.
    Overtaken,
    /// The store did not take it: our intent stands until its end.
    Unwritten,
}

impl<W: World> Exchange<'_, W> {
    pub(super) async fn withdraw(
        &mut self,
        claimed: Claimed<W::Prepared>,
        refusal: Refusal,
        fall_back: Option<TokenSet>,
    ) -> Result<Option<Answer>, Failure> {
        let withdrawal = self.write_withdrawal(&claimed, &refusal).await;
        let mut memory = self.context.memory_mut();
        match withdrawal {
            Withdrawal::Written(_) => memory.ended(&claimed.nonce),
            Withdrawal::Overtaken | Withdrawal::Unwritten => memory.abandoned(&claimed.nonce),
        }
        drop(memory);
        let generation = claimed.record.generation;
        let retry_at = if let Withdrawal::Written(retry_at) = withdrawal { retry_at } else { None };
        let transient = refusal.class == Class::Transient;
        if transient {
            self.notice(generation, What::Transient { retry_at });
            self.context.world.announce(self.key(), &claimed.record.sid, generation);
        }
        if matches!(withdrawal, Withdrawal::Overtaken) {
            // Say, in a page that went to rest, and its request was given up: another one has what it asked for.
            self.let_stand(&refusal);
            self.setback = Some(refusal).filter(|_| transient);
            return Ok(None);
        }
        if !transient || retry_at.is_none() || self.attempts > u32::from(self.context.settings.retries) {
            return self.set_back(&refusal, retry_at, fall_back).map(Some);
        }
        // The next look sees the cool-down, and decides whether it is worth waiting for.
        self.setback = Some(refusal);
        Ok(None)
    }

    /// Writes the withdrawal, only while the intent is ours.
    async fn write_withdrawal(&mut self, claimed: &Claimed<W::Prepared>, refusal: &Refusal) -> Withdrawal {
        let lot = self.context.world.per_mille();
        let (mut record, mut version) = (claimed.record.clone(), claimed.version.clone());
        for _ in 0..TRIES {
            let next = withdrawn(&record, refusal, self.context.world.wall(), lot);
            if let Ok(Written::Done(_)) = self.write(&next, version.as_deref()).await {
                return Withdrawal::Written(next.retry_at);
            }
            let seen = match self.context.read(&self.entry.address).await {
                Ok(Some(seen)) => seen,
                // An entry of successor mode has only ended: it is not known any more what was sent.
                Ok(None) if self.session_mode() => return Withdrawal::Overtaken,
                Ok(None) => return Withdrawal::Unwritten,
                Err(_) => continue,
            };
            let ours = seen.record.intent.as_ref().is_some_and(|intent| intent.nonce == claimed.nonce);
            if !ours {
                // Written after all, or overtaken: either way the intent is not ours to withdraw any more.
                return if seen.record == next { Withdrawal::Written(next.retry_at) } else { Withdrawal::Overtaken };
            }
            (record, version) = (seen.record, seen.version);
        }
        Withdrawal::Unwritten
    }
}
