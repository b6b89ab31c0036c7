//! Revocation: work off the tokens that must not live on (RFC 7009). Nothing else depends on it.

use super::context::Context;
use super::decide::commit::{LATECOMERS, time_to_live};
use super::notice::What;
use super::ports::{Address, World, Written};
use super::record::State;
use super::tokens::Secret;

/// How often a conflict is answered with another attempt.
const TRIES: u32 = 32;

/// What a run over the queue achieved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Tokens revoked.
    pub revoked: usize,
    /// Tokens that stay queued.
    pub left: usize,
}

impl<W: World> Context<W> {
    /// Revokes what the session's record has queued. Never the live token or the spare.
    pub async fn drain(&self) -> Drained {
        self.drain_at(&self.names.session(), false).await
    }

    /// The same for the entry of a presented token. `only_copy`: nobody else has what replaced it.
    pub async fn drain_carried(&self, presented: &Secret, only_copy: bool) -> Drained {
        self.drain_at(&self.names.successor(presented), only_copy).await
    }

    async fn drain_at(&self, at: &Address, only_copy: bool) -> Drained {
        let Ok(Some(seen)) = self.read(at).await else { return Drained::default() };
        if !self.world.can_revoke() {
            return Drained { revoked: 0, left: seen.record.revoke.len() };
        }
        let mut drained = Drained::default();
        for token in seen.record.revoke.iter().filter(|token| !seen.record.is_live(token)) {
            match self.world.revoke(token).await {
                Ok(()) if self.unqueue(at, token, only_copy).await => drained.revoked += 1,
                _ => drained.left += 1,
            }
        }
        if drained.left > 0 {
            self.notice(&at.key, seen.record.generation, What::RevocationFailed { left: drained.left });
        }
        drained
    }

    /// Takes a revoked token out of the queue.
    async fn unqueue(&self, at: &Address, token: &Secret, only_copy: bool) -> bool {
        for _ in 0..TRIES {
            let Ok(seen) = self.read(at).await else { continue };
            let Some(seen) = seen.filter(|seen| seen.record.revoke.contains(token)) else { return true };
            let mut next = seen.record;
            next.revoke.retain(|queued| queued != token);
            let done = next.state == State::Out && next.revoke.is_empty();
            // Entries of successor mode end; the session's record does when nobody needs it any more.
            let ttl = match at.seal {
                Some(_) => Some(time_to_live(&next, self.world.wall(), only_copy)),
                None => done.then_some(LATECOMERS),
            };
            let written = self.world.write(at, &next.encode(), next.generation, seen.version.as_deref(), ttl).await;
            if let Ok(Written::Done(_)) = written {
                return true;
            }
        }
        false
    }
}
