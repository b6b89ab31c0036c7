//! The safeguards of the protocol by name, so that the searches can drop one and must find what it was for.
//!
//! In a build that ships, no safeguard can be dropped: [`dropped`] is a constant there.

/// One rule whose loss must be noticed. What goes wrong without it stands in `ARCHITECTURE.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Safeguard {
    /// Writes name the version that was read.
    ConditionalWrite,
    /// Nothing is presented without a claim.
    Claim,
    /// The record is read again under the lock.
    ReadUnderLock,
    /// The lock is taken where there is one.
    Lock,
    /// Only an intent made under the lock may be taken over because the lock is free.
    LockedFlag,
    /// Whoever waits in vain for the lock does not present.
    NoPassingBy,
    /// The lock is held until the commit is durable.
    HoldUntilDurable,
    /// The own deadline is checked in the step that sends.
    DeadlineAtSend,
    /// A hint heard since the claim costs one more read.
    HeedHints,
    /// The cool-down stands in the record.
    RetryAt,
    /// The record is read again after a refusal.
    ReadAfterRefusal,
    /// A late commit wins over a rejection.
    CommitOverRejected,
    /// A late commit wins over a foreign claim.
    CommitOverClaim,
    /// `sid` is compared at every decision.
    SessionId,
    /// In session mode an absent record means signed out.
    AbsentIsSignedOut,
    /// The token of an exchange that ends after a sign-out is queued for revocation.
    QueueLateToken,
    /// Every write carries the queue over.
    CarryQueue,
    /// The replaced token is not revoked unless asked for.
    KeepReplaced,
    /// After a claim of unknown outcome only the nonce of this very attempt counts.
    NonceOfThisAttempt,
    /// The token presented is the claimed record's, not one captured earlier.
    TokenFromRecord,
    /// A spent token leads to its successor.
    SuccessorMemory,
    /// Without a covering lock an intent is taken over only after it was watched, unchanged, for its whole duration.
    WatchUnchanged,
    /// A record outlives the intent in it.
    FencedLife,
    /// An owner that was overtaken keeps its tokens as a spare, and a refusal switches to it.
    Spare,
    /// A send of unknown outcome is counted.
    CountSends,
    /// A token sent before waits while there is something to lose.
    SparingResend,
    /// A context does not present what the server refused to it.
    OwnRefusal,
    /// A context never takes over from an attempt of its own that is under way.
    OwnAttempt,
    /// A reply for another user ends the session instead of going on as that user.
    Identity,
    /// A session that the user has left here is not taken up again.
    HasLeft,
    /// What was read before a sign-in or sign-out here says nothing of the session after it.
    Turns,
    /// Callers get tokens that are not durable yet only while the session is seen alive.
    EarlyWhileAlive,
}

#[cfg(any(test, feature = "mutants"))]
mod switch {
    use std::cell::Cell;

    use super::Safeguard;

    thread_local! {
        static DROPPED: Cell<[Option<Safeguard>; 2]> = const { Cell::new([None, None]) };
    }

    /// Drops up to two safeguards on this thread, and restores all others.
    pub fn drop_only(safeguards: [Option<Safeguard>; 2]) {
        DROPPED.set(safeguards);
    }

    /// Is the safeguard dropped on this thread?
    pub fn dropped(safeguard: Safeguard) -> bool {
        DROPPED.get().contains(&Some(safeguard))
    }
}

#[cfg(any(test, feature = "mutants"))]
pub use switch::{drop_only, dropped};

/// Is the safeguard dropped? Never, in this build.
#[cfg(not(any(test, feature = "mutants")))]
pub const fn dropped(_: Safeguard) -> bool {
    false
}
