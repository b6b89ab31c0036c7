//! Sign-out: a tombstone takes the place of the session. It needs no lock, and wins over any exchange in flight.

use super::context::{Carried, Context};
use super::decide::commit::time_to_live;
use super::decide::sign_out::buried;
use super::failure::Failure;
use super::notice::What;
use super::ports::{Address, World, Written};
use super::record::{Record, State};
use super::sign_in::{FAILURES, contention};
use super::successor::MAX_HOPS;
use super::tokens::Secret;

/// How often a conflict is answered with another attempt.
const TRIES: u32 = 32;

/// A sign-out that is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedOut {
    /// Tokens that wait for their revocation.
    pub queued: usize,
    /// Successor mode: the token whose entry holds them, the last of the chain.
    pub last: Option<Secret>,
}

impl<W: World> Context<W> {
    /// Session mode: ends the session that this context has taken up, or, if it has none yet, the one that is there.
    ///
    /// # Errors
    /// [`Failure::Store`] if the tombstone cannot be written. This context has forgotten the session all the same.
    pub async fn sign_out(&self) -> Result<SignedOut, Failure> {
        let at = self.names.session();
        let sid = self.sid();
        if let Some(sid) = &sid {
            self.memory_mut().leave(sid);
        }
        let (record, written) = self.bury(&at, sid.as_deref()).await?;
        if written {
            self.notice(&at.key, record.as_ref().map_or(0, |record| record.generation), What::SignedOut);
        }
        Ok(SignedOut { queued: record.map_or(0, |record| record.revoke.len()), last: None })
    }

    /// Successor mode: ends the session of carried tokens, on every entry from the given one on.
    ///
    /// # Errors
    /// [`Failure::Store`] if a tombstone cannot be written.
    pub async fn sign_out_carried(&self, carried: &Carried) -> Result<SignedOut, Failure> {
        let mut presented = carried.granted.refresh_token.clone();
        let (mut queued, mut last) = (0, None);
        for _ in 0..=MAX_HOPS {
            let Some(token) = presented.take() else { break };
            let at = self.names.successor(&token);
            let before = self.read(&at).await.map_err(Failure::store)?;
            let successor = before.and_then(|seen| seen.record.refresh_token).filter(|next| *next != token);
            let (record, written) = self.bury_token(&at, &token, successor.is_none()).await?;
            if written {
                self.notice(&at.key, record.generation, What::SignedOut);
            }
            queued = record.revoke.len();
            (last, presented) = (Some(token), successor);
        }
        Ok(SignedOut { queued, last })
    }

    /// Writes the tombstone, repeated until it stands or the session is another one. Says what is there, and whether
    /// it was us who wrote it.
    async fn bury(&self, at: &Address, sid: Option<&str>) -> Result<(Option<Record>, bool), Failure> {
        let mut sid = sid.map(str::to_owned);
        let mut failures = 0;
        for _ in 0..TRIES {
            let seen = match self.read(at).await {
                Ok(Some(seen)) => seen,
                Ok(None) => return Ok((None, false)),
                Err(failure) => {
                    failures += 1;
                    if failures == FAILURES {
                        return Err(Failure::store(failure));
                    }
                    continue;
                }
            };
            let there = sid.get_or_insert_with(|| seen.record.sid.clone());
            self.memory_mut().leave(there);
            if *there != seen.record.sid {
                return Ok((None, false));
            }
            if seen.record.state == State::Out {
                return Ok((Some(seen.record), false));
            }
            let next = buried(&seen.record, self.world.can_revoke());
            match self.world.write(at, &next.encode(), next.generation, seen.version.as_deref(), None).await {
                Ok(Written::Done(_)) => {
                    self.world.announce(&at.key, &next.sid, next.generation);
                    return Ok((Some(next), true));
                }
                Ok(Written::Conflict) => {}
                Err(failure) => {
                    self.notice(&at.key, next.generation, What::StoreFailed { operation: "write" });
                    failures += 1;
                    if failures == FAILURES {
                        return Err(Failure::store(failure));
                    }
                }
            }
        }
        Err(Failure::store(contention()))
    }

    /// The same for one entry of successor mode, where an absent record is the token's generation 0.
    async fn bury_token(&self, at: &Address, token: &Secret, live: bool) -> Result<(Record, bool), Failure> {
        let mut failures = 0;
        for _ in 0..TRIES {
            let seen = match self.read(at).await {
                Ok(seen) => seen,
                Err(failure) => {
                    failures += 1;
                    if failures == FAILURES {
                        return Err(Failure::store(failure));
                    }
                    continue;
                }
            };
            let version = seen.as_ref().and_then(|seen| seen.version.clone());
            let there = seen.map(|seen| seen.record);
            if let Some(there) = there.as_ref().filter(|there| there.state == State::Out) {
                return Ok((there.clone(), false));
            }
            let there = there.unwrap_or_else(|| Record::begun(at.key.clone(), Some(token.clone())));
            let next = buried(&there, live && self.world.can_revoke());
            let ttl = Some(time_to_live(&next, self.world.wall(), false));
            match self.world.write(at, &next.encode(), next.generation, version.as_deref(), ttl).await {
                Ok(Written::Done(_)) => {
                    self.world.announce(&at.key, &next.sid, next.generation);
                    return Ok((next, true));
                }
                Ok(Written::Conflict) => {}
                Err(failure) => {
                    self.notice(&at.key, next.generation, What::StoreFailed { operation: "write" });
                    failures += 1;
                    if failures == FAILURES {
                        return Err(Failure::store(failure));
                    }
                }
            }
        }
        Err(Failure::store(contention()))
    }
}
