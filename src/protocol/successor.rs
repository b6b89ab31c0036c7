//! Successor mode: the caller carries the tokens (a cookie); what became of its refresh token is found by the token.
//!
//! Each presented token has a record of its own, under the token's hash. Where the token is spent, the record leads
//! to its successor; the exchange runs on the last one, which is still alive.

use super::context::{Call, Carried, Context};
use super::decide::claim::Moment;
use super::decide::commit::{grant_of, time_to_live};
use super::demand::Demand;
use super::exchange::{Answer, Entry, exchange};
use super::failure::Failure;
use super::ports::World;
use super::record::State;
use super::tokens::{Secret, TokenSet};

/// How many successors are followed in one call.
pub(super) const MAX_HOPS: u32 = 8;

impl<W: World> Context<W> {
    /// The token set that is current for carried tokens.
    ///
    /// # Errors
    /// Every variant of [`Failure`].
    pub async fn renew(&self, carried: &Carried, demand: &Demand, call: &Call<'_>) -> Result<TokenSet, Failure> {
        let Some(first) = carried.granted.refresh_token.clone() else {
            return Err(Failure::no_session("the tokens hold no refresh token"));
        };
        let mut presented = first.clone();
        for hops in 0..=MAX_HOPS {
            let entry = Entry {
                address: self.names.successor(&presented),
                carried: (hops == 0).then(|| self.carried_grant(carried)).flatten(),
                subject: carried.granted.subject.clone(),
                presented: Some(presented.clone()),
                only_copy: carried.fixed,
            };
            match exchange(self, &entry, demand, call).await? {
                Answer::Follow(successor) => presented = successor,
                Answer::Tokens(tokens) => {
                    if hops > 0 {
                        self.shorten(&first, &tokens, demand, hops, carried.fixed).await;
                    }
                    return Ok(tokens);
                }
            }
        }
        // The first entry was shortened by whoever came this far before; the next call starts closer to the end.
        Err(Failure::busy("too-many-successors", "the token is too many generations old to be followed at once", None))
    }

    /// The access token that the caller carries, if it says when it ends.
    fn carried_grant(&self, carried: &Carried) -> Option<super::tokens::Grant> {
        let granted = &carried.granted;
        let known_end = granted.lifetime.is_some() || granted.expires_at.is_some();
        let sent = Moment { wall: carried.issued_at, monotonic: 0 };
        (granted.access_token.is_some() && known_end).then(|| grant_of(granted, None, 0, sent, &self.settings))
    }

    /// Rewrites the first entry to the newest set, so that the next late caller has one hop to go. Only speed depends
    /// on it: a conflict or a failure is left alone.
    async fn shorten(&self, first: &Secret, tokens: &TokenSet, demand: &Demand, hops: u32, only_copy: bool) {
        let at = self.names.successor(first);
        let Ok(Some(seen)) = self.read(&at).await else { return };
        let mut next = seen.record;
        if next.state != State::Active || next.intent.is_some() || next.refresh_token == tokens.refresh_token {
            return;
        }
        next.refresh_token.clone_from(&tokens.refresh_token);
        next.generation = next.generation.saturating_add(hops.into());
        next.grants.clear();
        let key = super::names::params_key(&demand.params);
        next.grants.insert(key, tokens.grant.clone());
        let ttl = time_to_live(&next, self.world.wall(), only_copy);
        let version = seen.version.as_deref();
        // Whatever came of it, the chain still leads to the same end.
        let _ = self.world.write(&at, &next.encode(), next.generation, version, Some(ttl)).await;
    }
}
