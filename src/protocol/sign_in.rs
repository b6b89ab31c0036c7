//! Sign-in: a new session takes the place of whatever is there, and wins over any exchange in flight.

use super::context::{Carried, Context, Seen};
use super::decide::claim::Moment;
use super::decide::commit::grant_of;
use super::demand::Mark;
use super::failure::Failure;
use super::names::params_key;
use super::notice::What;
use super::ports::{Params, StoreFailure, World, Written};
use super::record::{Record, State};
use super::safeguard::{Safeguard, dropped};
use super::tokens::TokenSet;

/// How often a conflict is answered with another attempt.
const TRIES: u32 = 32;
/// How many calls into the store may fail. Each may take its full time to do so, and somebody is waiting.
pub(super) const FAILURES: u32 = 3;

impl<W: World> Context<W> {
    /// Begins a session with these tokens, which were obtained for these parameters.
    ///
    /// Two exceptions: a refresh token that the session there has already spent is ignored, and what is current is
    /// returned; the live one only brings a newer access token along.
    ///
    /// # Errors
    /// [`Failure::Store`] if the record cannot be written; [`Failure::NoSession`] if these tokens were signed out
    /// meanwhile, or before.
    pub async fn sign_in(&self, carried: Carried, params: &Params) -> Result<TokenSet, Failure> {
        let at = self.names.session();
        let params_key = params_key(params);
        let sid = self.world.nonce();
        let mut failures = 0;
        for _ in 0..TRIES {
            let seen = match self.read(&at).await {
                Ok(seen) => seen,
                // Garbage is nobody's session; whoever signs in may replace it. A newer schema is left alone.
                Err(failure) if failure.code == "store-garbage" => match self.replaceable_garbage(&at).await {
                    Ok(seen) => Some(seen),
                    Err(failure) => return Err(Failure::store(failure)),
                },
                Err(failure) => {
                    failures += 1;
                    if failures == FAILURES {
                        return Err(Failure::store(failure));
                    }
                    continue;
                }
            };
            let next = match self.plan(seen.as_ref().map(|seen| &seen.record), &carried, &params_key, &sid) {
                Plan::Keep(record) => return Ok(self.begin_with(record, &params_key)),
                Plan::Refuse => {
                    // An exchange here may have met the session between its beginning and its end.
                    if seen.is_some_and(|seen| seen.record.sid == sid) {
                        self.memory_mut().leave(&sid);
                    }
                    return Err(Failure::no_session("these tokens were signed out"));
                }
                Plan::Write(record) => record,
            };
            let version = seen.and_then(|seen| seen.version);
            match self.world.write(&at, &next.encode(), next.generation, version.as_deref(), None).await {
                Ok(Written::Done(_)) => {
                    self.world.announce(&at.key, &next.sid, next.generation);
                    return Ok(self.begin_with(next, &params_key));
                }
                Ok(Written::Conflict) => {}
                Err(failure) => {
                    self.notice(&at.key, 0, What::StoreFailed { operation: "write" });
                    failures += 1;
                    if failures == FAILURES {
                        return Err(Failure::store(failure));
                    }
                }
            }
        }
        Err(Failure::store(contention()))
    }

    /// What a sign-in makes of the record that is there.
    fn plan(&self, there: Option<&Record>, carried: &Carried, params_key: &str, sid: &str) -> Plan {
        let granted = &carried.granted;
        let sent = Moment { wall: carried.issued_at, monotonic: 0 };
        if let Some(there) = there {
            // An attempt whose outcome was unknown has begun the session. What became of it since is the truth.
            if there.sid == sid {
                return if there.state == State::Active { Plan::Keep(there.clone()) } else { Plan::Refuse };
            }
            // A token that waits for its revocation must not live again: it would die under the new session.
            if granted
                .refresh_token
                .as_ref()
                .is_some_and(|token| there.revoke.contains(token) && !there.has_spent(token))
            {
                return Plan::Refuse;
            }
        }
        if let Some(there) = there.filter(|there| there.state == State::Active)
            && let Some(token) = &granted.refresh_token
        {
            if there.has_spent(token) && !dropped(Safeguard::SuccessorMemory) {
                return Plan::Keep(there.clone());
            }
            if there.refresh_token.as_ref() == Some(token) {
                let mut next = there.clone();
                let known = there.grants.get(params_key);
                let grant = grant_of(granted, known, there.generation, sent, &self.settings);
                if known.is_some_and(|known| known.expires_at >= grant.expires_at) {
                    return Plan::Keep(next);
                }
                next.grants.insert(params_key.to_owned(), grant);
                return Plan::Write(next);
            }
        }
        let mut next = Record::begun(sid.to_owned(), granted.refresh_token.clone());
        // A refresh token alone grants nothing yet: the first call fetches what it needs.
        if granted.access_token.is_some() || granted.lifetime.is_some() || granted.expires_at.is_some() {
            next.grants.insert(params_key.to_owned(), grant_of(granted, None, 0, sent, &self.settings));
        }
        next.sub.clone_from(&granted.subject);
        if let Some(there) = there.filter(|_| !dropped(Safeguard::CarryQueue)) {
            next.carry_from(there);
        }
        Plan::Write(next)
    }

    /// This context takes the session up, and answers with its tokens.
    fn begin_with(&self, record: Record, params_key: &str) -> TokenSet {
        let begun = self.memory_mut().enter(&record.sid);
        if begun {
            self.notice(&self.names.session().key, record.generation, What::SignedIn);
        }
        // A session may have no grant for these parameters: then what was carried is all there is to hand out.
        let grant = record.grants.get(params_key).cloned();
        let grant = grant.unwrap_or_else(|| {
            let sent = Moment { wall: self.world.wall(), monotonic: 0 };
            grant_of(
                &Default::default(),
                None,
                record.generation,
                sent,
                &super::settings::Settings { unknown_lifetime: 0, ..self.settings.clone() },
            )
        });
        let tokens = self.token_set(&record, &grant);
        let mut memory = self.memory_mut();
        memory.remember(&record);
        memory.hand(params_key, Mark::of(&tokens.grant));
        tokens
    }

    /// The version of a value that is no record, so that it can be replaced conditionally like any other.
    async fn replaceable_garbage(&self, at: &super::ports::Address) -> Result<Seen, StoreFailure> {
        let found = self.world.read(at).await?;
        Ok(Seen { record: Record::tombstone(String::new()), version: found.map(|found| found.version) })
    }
}

enum Plan {
    /// What is there stays.
    Keep(Record),
    /// This takes its place.
    Write(Record),
    /// The session was begun and ended already.
    Refuse,
}

pub(super) fn contention() -> StoreFailure {
    StoreFailure { code: "contention", message: "the record keeps changing".into(), cause: None }
}
