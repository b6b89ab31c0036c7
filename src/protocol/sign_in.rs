//! Sign-in: a new session takes the place of whatever is there, and wins over any exchange in flight.

use super::context::{Carried, Context, Seen};
use super::decide::claim::Moment;
use super::decide::commit::grant_of;
use super::decide::sign_in::{SignIn, signed_in};
use super::demand::Mark;
use super::failure::Failure;
use super::names::params_key;
use super::notice::What;
use super::ports::{Params, StoreFailure, World, Written};
use super::record::Record;
use super::tokens::TokenSet;

/// How often a conflict is answered with another attempt.
const TRIES: u32 = 32;
/// How many calls into the store may fail. Each may take its full time to do so, and somebody is waiting.
pub(in crate::protocol) const FAILURES: u32 = 3;

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
        // What stood there before an attempt whose outcome is unknown, and what went wrong with it.
        let mut unknown: Option<(Option<String>, StoreFailure)> = None;
        for _ in 0..TRIES {
            let seen = match self.read(&at).await {
                Ok(seen) => seen,
                // Garbage is nobody's session, nor is what nobody can open; whoever signs in may replace it. A newer
                // schema is left alone.
                Err(failure) if ["store-garbage", "store-sealed"].contains(&failure.code) => {
                    match self.replaceable_garbage(&at).await {
                        Ok(seen) => Some(seen),
                        Err(failure) => return Err(Failure::store(failure)),
                    }
                }
                Err(failure) => {
                    failures += 1;
                    if failures == FAILURES {
                        return Err(Failure::store(failure));
                    }
                    continue;
                }
            };
            let there = seen.as_ref().map(|seen| &seen.record);
            if let (Some((before, failure)), Some(there)) = (&unknown, there)
                && there.sid != sid
                && before.as_ref() != Some(&there.sid)
            {
                // Somebody has signed in since, perhaps after ours had begun and ended: theirs stays.
                return Err(Failure::store(failure.clone()));
            }
            let next = match signed_in(there, &carried.granted, carried.issued_at, &params_key, &sid, &self.settings) {
                SignIn::Keep(record) => return Ok(self.begin_with(*record, &params_key)),
                SignIn::Refuse => {
                    // An exchange here may have met the session between its beginning and its end.
                    if seen.is_some_and(|seen| seen.record.sid == sid) {
                        self.memory_mut().leave(&sid);
                    }
                    return Err(Failure::no_session("these tokens were signed out"));
                }
                SignIn::Write(record) => *record,
            };
            let before = there.map(|there| there.sid.clone());
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
                    unknown = Some((before, failure));
                }
            }
        }
        Err(Failure::store(contention()))
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

pub(super) fn contention() -> StoreFailure {
    StoreFailure { code: "contention", message: "the record keeps changing".into(), cause: None }
}
