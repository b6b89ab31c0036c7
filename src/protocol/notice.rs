//! What an exchange tells its observer: the closed list of events, and what only counts.

use super::tokens::Millis;
use super::verdict::Reason;

/// One thing that happened to a session. Holds no token and no name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Notice {
    /// The record's key.
    pub key: String,
    /// The generation it happened at.
    pub generation: u64,
    /// What.
    pub what: What,
}

/// The kinds of [`Notice`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// A refresh token was presented. A statistic.
    Presented,
    /// New tokens were granted and are durable.
    Refreshed,
    /// Another context's tokens were taken over as the answer.
    Adopted,
    /// Waits for another context.
    Waiting,
    /// An owner that is gone left an intent, and it was replaced.
    TakenOver,
    /// The server refused. A statistic; what follows from it is another notice.
    Refused,
    /// Not now.
    Transient {
        /// Nobody presents before this moment: wall clock, milliseconds since the epoch.
        retry_at: Option<Millis>,
    },
    /// The session is over.
    Revoked {
        /// Why.
        reason: Reason,
    },
    /// A new session is there.
    SignedIn,
    /// The session was ended by the user.
    SignedOut,
    /// The store failed.
    StoreFailed {
        /// `read`, `write`, or `commit`: what was granted could not be made durable, and nobody tries any more.
        operation: &'static str,
    },
    /// Something the protocol would like to have is missing, and the next best is used.
    Degraded {
        /// What is missing, kebab-case.
        what: &'static str,
    },
    /// A token could not be revoked; it stays queued.
    RevocationFailed {
        /// How many tokens are still queued.
        left: usize,
    },
}
