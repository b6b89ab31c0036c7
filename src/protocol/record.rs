//! The record: the one value a store holds for a key. Its text form stands in `codec`.
//!
//! Must not know who reads or writes it, nor when.

use super::grants::Grants;
use super::names::token_hash;
use super::tokens::{Millis, Secret};
use super::verdict::Reason;

/// The schema this version reads and writes.
pub const SCHEMA: u32 = 1;
/// How many spent refresh tokens a record remembers.
const SPENT_REMEMBERED: usize = 8;
/// How many tokens may wait for revocation; beyond it the oldest is given up, so that a record stays small.
const QUEUE_CAP: usize = 16;

/// What is known of one session, or, in successor mode, of what became of one refresh token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// Schema version.
    pub v: u32,
    /// Active, rejected or out.
    pub state: State,
    /// Random id of one sign-in. In successor mode the record's key, which is the identity there.
    pub sid: String,
    /// Rotations since sign-in. Comparable only within one `sid`.
    pub generation: u64,
    /// The live refresh token.
    pub refresh_token: Option<Secret>,
    /// Grants by request parameters (`names::params_key`).
    pub grants: Grants,
    /// Whose session it is, where an id token tells (OpenID Connect Core 12.2: it must not change).
    pub sub: Option<String>,
    /// A sibling of the live token, from an owner that was overtaken.
    pub spare: Option<Spare>,
    /// Salted hashes of the last refresh tokens that were spent.
    pub spent: Vec<String>,
    /// Who is presenting the live token.
    pub intent: Option<Intent>,
    /// Sends of the live token whose outcome is unknown: 0, 1 or 2.
    pub sends: u8,
    /// Nobody presents before this moment: wall clock, milliseconds since the epoch.
    pub retry_at: Option<Millis>,
    /// Withdrawals in a row, 0 to 6.
    pub failures: u8,
    /// Tokens still to be revoked. Every write carries them over.
    pub revoke: Vec<Secret>,
    /// Why the session was rejected: the name of a [`Reason`]. While it lives: why it will have been, should the server turn out
    /// to have ended it already.
    pub reason: Option<String>,
}

/// What a record says of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// It lives.
    Active,
    /// The server refused its token for good.
    Rejected,
    /// The user signed out: a tombstone.
    Out,
}

/// "I present the token with this hash until this deadline": lease, fence and journal in one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Intent {
    /// Fresh for every attempt.
    pub nonce: String,
    /// Salted hash of the token that is presented.
    pub hash: String,
    /// Was it made under a lock that covers everybody who shares the store?
    pub locked: bool,
    /// Wall clock, milliseconds since the epoch.
    pub deadline: Millis,
    /// How long an observer without a covering lock must have watched it unchanged, in milliseconds.
    pub duration: Millis,
}

/// A second living token set of the same generation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spare {
    /// Its refresh token.
    pub refresh_token: Option<Secret>,
    /// Its grants.
    pub grants: Grants,
}

/// Why a text is not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Written by a newer version of this package. Must not be touched.
    NewerSchema,
    /// Not a record at all.
    Garbage,
    /// Sealed, and there is nothing that opens it.
    Unopened,
}

/// What a store has in the place of a value that cannot be opened any more. No record, and no text of anybody's.
pub const UNOPENED: &str = "unopened";

impl Record {
    /// A session that has just begun.
    pub fn begun(sid: String, refresh_token: Option<Secret>) -> Self {
        Self {
            v: SCHEMA,
            state: State::Active,
            sid,
            generation: 0,
            refresh_token,
            grants: Grants::default(),
            sub: None,
            spare: None,
            spent: Vec::new(),
            intent: None,
            sends: 0,
            retry_at: None,
            failures: 0,
            revoke: Vec::new(),
            reason: None,
        }
    }

    /// The tombstone of a session whose record is gone, to hold tokens that must not live on.
    pub fn tombstone(sid: String) -> Self {
        Self { state: State::Out, ..Self::begun(sid, None) }
    }

    /// The salted hash of the live token.
    pub fn live_hash(&self) -> String {
        token_hash(&self.sid, self.refresh_token.as_ref())
    }

    /// Has this session spent the token?
    pub fn has_spent(&self, token: &Secret) -> bool {
        self.spent.contains(&token_hash(&self.sid, Some(token)))
    }

    /// Remembers the live token as spent.
    pub fn remember_spent(&mut self) {
        let hash = self.live_hash();
        if !self.spent.contains(&hash) {
            self.spent.push(hash);
        }
        let surplus = self.spent.len().saturating_sub(SPENT_REMEMBERED);
        self.spent.drain(..surplus);
    }

    /// Queues a token for revocation, unless it lives here or is queued already.
    pub fn queue(&mut self, token: Option<&Secret>) {
        let Some(token) = token else { return };
        if !self.is_live(token) && !self.revoke.contains(token) {
            self.revoke.push(token.clone());
        }
        let surplus = self.revoke.len().saturating_sub(QUEUE_CAP);
        self.revoke.drain(..surplus);
    }

    /// Is it the live token, or the spare's?
    pub fn is_live(&self, token: &Secret) -> bool {
        let spare = self.spare.as_ref().and_then(|spare| spare.refresh_token.as_ref());
        self.state == State::Active && (self.refresh_token.as_ref() == Some(token) || spare == Some(token))
    }

    /// Takes over what every write must carry along from the record it replaces.
    pub fn carry_from(&mut self, replaced: &Record) {
        for token in &replaced.revoke {
            self.queue(Some(token));
        }
    }

    /// The token that the live one replaced went out more than once. One of those requests may reach the server after the other,
    /// and a strict one then ends the session: nobody hears of it before the live token is presented.
    pub fn forebode_loss(&mut self) {
        self.reason = Some(Reason::ResponseLost.name().to_owned());
    }

    /// Why it was rejected.
    pub fn rejected_for(&self) -> Reason {
        self.reason.as_deref().map_or(Reason::Unknown, Reason::named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_eight_spent_tokens_are_remembered() {
        let mut record = Record::begun("s".into(), None);
        for count in 0..10 {
            record.refresh_token = Some(Secret::new(format!("R{count}")));
            record.remember_spent();
        }
        let known: Vec<bool> = (0..10).map(|count| record.has_spent(&Secret::new(format!("R{count}")))).collect();
        assert_eq!(known, [false, false, true, true, true, true, true, true, true, true]);
    }

    #[test]
    fn a_living_token_is_never_queued_for_revocation() {
        let mut record = Record::begun("s".into(), Some(Secret::new("R1")));
        record.queue(Some(&Secret::new("R1")));
        record.queue(Some(&Secret::new("R0")));
        record.queue(Some(&Secret::new("R0")));
        assert_eq!(record.revoke, [Secret::new("R0")]);
    }

    #[test]
    fn a_spare_lives_too_and_nothing_lives_in_a_session_that_is_over() {
        let mut record = Record::begun("s".into(), Some(Secret::new("R1")));
        record.spare = Some(Spare { refresh_token: Some(Secret::new("R1b")), grants: Grants::default() });
        let lives = |record: &Record| ["R1", "R1b", "R0"].map(|token| record.is_live(&Secret::new(token)));
        assert_eq!(lives(&record), [true, true, false]);
        record.state = State::Rejected;
        assert_eq!(lives(&record), [false; 3]);
    }

    #[test]
    fn the_queue_keeps_the_last_sixteen() {
        let mut full = Record::tombstone("s".into());
        (0..20).for_each(|count| full.queue(Some(&Secret::new(format!("R{count}")))));
        assert_eq!((full.revoke.len(), &full.revoke[0]), (16, &Secret::new("R4")));
        let mut next = Record::begun("t".into(), None);
        next.carry_from(&full);
        assert_eq!(next.revoke, full.revoke);
    }

    #[test]
    fn a_reason_is_read_by_its_name() {
        let named =
            |reason: Option<&str>| Record { reason: reason.map(str::to_owned), ..Record::begun("s".into(), None) };
        assert_eq!(named(Some("idle")).rejected_for(), Reason::Idle);
        assert_eq!(named(Some("unheard-of")).rejected_for(), Reason::Unknown);
        assert_eq!(named(None).rejected_for(), Reason::Unknown);
    }

    #[test]
    fn debug_output_shows_no_token() {
        let mut record = Record::begun("s".into(), Some(Secret::new("topsecret")));
        record.revoke.push(Secret::new("topsecret"));
        assert!(!format!("{record:?}").contains("topsecret"));
    }
}
