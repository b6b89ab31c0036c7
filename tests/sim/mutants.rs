//! Each safeguard with the world in which its loss must be noticed. Where two cover for each other, one is dropped
//! where its partner is absent.

use refresh_coordinator::protocol::ports::LockScope;
use refresh_coordinator::protocol::safeguard::Safeguard;

use super::scenarios::{Ending, GRACE, NONE, role, session, successor};
use super::script::Action;
use super::server::Kind;
use super::world::faults::Faults;
use super::world::{Channel, Scenario};

/// A safeguard that is dropped, and what must be found then.
pub struct Mutant {
    pub dropped: [Option<Safeguard>; 2],
    /// How the violation begins.
    pub finds: &'static str,
    pub scenario: Scenario,
}

const PAUSE: Faults = Faults { pause: true, ..NONE };
const NETWORK: Faults = Faults { network: true, ..NONE };
const WRITE: Faults = Faults { write: true, ..NONE };

/// All of them.
pub fn mutants() -> Vec<Mutant> {
    use Action::{Drain, Get, Minted, Renewed, SignIn, SignOut};
    use LockScope::{Covering as Lock, None as Lease};
    use Safeguard as S;
    let strict = |contexts, calls: &[Action], lock| session(contexts, calls, Kind::Strict, lock, Ending::None);
    let refusing = |contexts, calls: &[Action], lock| session(contexts, calls, Kind::RefuseOnly, lock, Ending::None);
    let ending = |calls: &[Action], lock, ending| session(1, calls, Kind::Strict, lock, ending);
    let one = |dropped, finds, scenario| Mutant { dropped: [Some(dropped), None], finds, scenario };

    // A tab that signs out while another one signs somebody in.
    let mut two_writers = strict(1, &[SignOut], Lock);
    two_writers.roles.push(role('Z', Lock, Kind::Strict, &[SignIn("v")]));
    // One context without locks beside one that has them: the second must not take the first's intent for dead.
    let mut mixed = strict(1, &[Get], Lock);
    mixed.roles.push(role('B', Lease, Kind::Strict, &[Get]));
    // A caller patient enough to see the end of an owner's intent, and one that comes back often enough.
    let mut patient = strict(2, &[Get], Lock).with(PAUSE, 1);
    for role in &mut patient.roles {
        role.settings.lock_wait = 60_000;
    }
    // A server without a revocation endpoint: nothing is queued, so the tombstone may expire at once.
    let mut forgetful = ending(&[Get], Lock, Ending::SignOut);
    for role in &mut forgetful.roles {
        role.can_revoke = false;
    }
    // A server that answers slowly, and a caller that waits for it: the intent lives longer than a short-lived record.
    let mut slow = successor(2, &[Action::Carry("u.0"), Action::Carry("u.0")], Kind::Strict, Lease).with(PAUSE, 1);
    for role in &mut slow.roles {
        (role.settings.timeout, role.settings.lock_wait) = (120_000, 70_000);
    }
    // Of two siblings only the later one lives, and the first to be committed is the other one.
    let latest = Scenario {
        forgiving: false,
        ..session(2, &[Get], Kind::GraceLatest(GRACE), Lease, Ending::None).with(PAUSE, 1)
    };
    // The tombstone cannot be written, and the same tab is asked for tokens again.
    let stubborn = strict(1, &[SignOut, Get], Lock).with(Faults { write: true, ..NONE }, 3);
    // Another user signs in, in the same tab, while a call looks.
    let turning = strict(1, &[Get, Get, Get], Lock).beside(&[SignIn("v")]).with(Faults { slow: true, ..NONE }, 1);

    // Nobody may revoke what the rotation replaced: on a strict server that ends the grant.
    let revoking = strict(1, &[Get, Drain], Lock);

    vec![
        one(S::ConditionalWrite, "I3:", two_writers),
        one(S::Claim, "a spent token", strict(2, &[Get], Lease)),
        Mutant {
            dropped: [Some(S::ReadUnderLock), Some(S::ConditionalWrite)],
            finds: "I3: generation",
            scenario: strict(2, &[Get], Lock),
        },
        one(S::Lock, "a spent token", patient),
        one(S::LockedFlag, "a spent token", mixed),
        one(S::NoPassingBy, "a spent token", strict(2, &[Get, Get, Get], Lock).with(PAUSE, 1)),
        one(S::HoldUntilDurable, "a spent token", strict(2, &[Get], Lock).with(WRITE, 1)),
        one(S::DeadlineAtSend, "a spent token", strict(2, &[Get], Lease).with(PAUSE, 1)),
        one(S::HeedHints, "I1:", strict(2, &[Get], Lease).heard(Channel::Prompt).with(PAUSE, 2)),
        one(S::RetryAt, "A presents", strict(1, &[Get], Lock).with(NETWORK, 1)),
        one(S::ReadAfterRefusal, "I8:", strict(1, &[Get], Lock).with(NETWORK, 1)),
        one(S::CommitOverRejected, "the session is lost", refusing(2, &[Get], Lease).with(PAUSE, 1)),
        one(S::CommitOverClaim, "the session is lost", refusing(2, &[Get], Lease).with(PAUSE, 1)),
        one(S::SessionId, "I6:", ending(&[Get], Lock, Ending::Switch)),
        one(S::AbsentIsSignedOut, "I7:", forgetful),
        one(S::QueueLateToken, "I7:", ending(&[Get], Lock, Ending::SignOut)),
        one(S::CarryQueue, "I3:", ending(&[Get], Lock, Ending::Switch)),
        one(S::KeepReplaced, "the session is lost", revoking),
        one(S::NonceOfThisAttempt, "a spent token", strict(2, &[Get], Lease).with(Faults { write: true, ..PAUSE }, 3)),
        one(S::TokenFromRecord, "a spent token", strict(2, &[Minted], Lock)),
        one(
            S::SuccessorMemory,
            "A is told to try later",
            successor(1, &[Action::Carry("u.0"), Action::Carry("u.0")], Kind::Strict, Lock),
        ),
        one(S::SuccessorMemory, "I1:", strict(1, &[Get, SignIn("u"), Renewed], Lock)),
        one(S::WatchUnchanged, "a spent token", strict(2, &[Get], Lease)),
        one(S::FencedLife, "a spent token", slow),
        one(S::Spare, "the session is lost", latest),
        one(S::CountSends, "I11:", strict(1, &[Get], Lock).with(NETWORK, 1)),
        one(S::SparingResend, "A presents", strict(1, &[Get, Minted], Lock).living(5_000).with(NETWORK, 1)),
        one(S::OwnRefusal, "I1:", refusing(2, &[Get], Lease).with(Faults { network: true, crash: true, ..PAUSE }, 3)),
        one(S::OwnAttempt, "I1:", strict(2, &[Get], Lease).beside(&[Action::GetFor("a")]).with(PAUSE, 1)),
        one(S::Identity, "I6:", strict(1, &[Get], Lock).with(Faults { identity: true, ..NONE }, 1)),
        one(S::HasLeft, "I7:", stubborn),
        one(S::Turns, "I11:", turning),
        one(S::EarlyWhileAlive, "I7:", ending(&[Get], Lock, Ending::SignOut)),
    ]
}
