//! Safeguards that are dropped, each in a world where its loss must be noticed.

use refresh_coordinator::protocol::ports::LockScope;
use refresh_coordinator::protocol::safeguard::Safeguard;

use super::casts::{self, Cast};
use super::explore::Scenario;
use super::faults::{Faults, NONE};
use crate::server::Kind;

/// A dropped safeguard, and what the violation says that must be found.
pub struct Mutant {
    pub scenario: Scenario,
    pub finds: &'static str,
}

const NETWORK: Faults = Faults { network: true, ..NONE };
const BUSY: Faults = Faults { busy: true, ..NONE };
const STORE: Faults = Faults { store: true, ..NONE };

fn mutant(dropped: [Option<Safeguard>; 2], cast: Cast, lock: LockScope, faults: Faults, finds: &'static str) -> Mutant {
    let name = "a mutant";
    let scenario =
        Scenario { name, cast, server: Kind::Strict, lock, faults, successor_mode: false, grants: None, dropped };
    Mutant { scenario, finds }
}

/// All that random schedules catch in seconds. The exhaustive search catches the others: they need a tab that stands
/// still at one certain step.
pub fn mutants() -> Vec<Mutant> {
    use LockScope::{Covering as Lock, None as Lease};
    use Safeguard as S;
    let one = |dropped| [Some(dropped), None];
    let mut carriers = mutant(one(S::SuccessorMemory), casts::carriers, Lock, NONE, "");
    carriers.scenario.successor_mode = true;
    vec![
        mutant(one(S::Claim), casts::everybody, Lease, NONE, "a spent token"),
        mutant([Some(S::Lock), Some(S::Claim)], casts::everybody, Lock, NONE, "a spent token"),
        mutant([Some(S::ReadUnderLock), Some(S::ConditionalWrite)], casts::everybody, Lock, NONE, ""),
        mutant(one(S::ConditionalWrite), casts::users_change, Lock, NONE, ""),
        mutant(one(S::LockedFlag), casts::mixed, Lock, NONE, "a spent token"),
        mutant(one(S::HoldUntilDurable), casts::everybody, Lock, STORE, "a spent token"),
        mutant(one(S::TokenFromRecord), casts::needs, Lock, NONE, "I1"),
        mutant(one(S::RetryAt), casts::everybody, Lock, BUSY, "during its cool-down"),
        mutant(one(S::ReadAfterRefusal), casts::everybody, Lock, NETWORK, "I8"),
        mutant(one(S::SessionId), casts::users_change, Lock, NONE, "I"),
        mutant(one(S::AbsentIsSignedOut), casts::one_replaces, Lock, NONE, "I7"),
        mutant(one(S::QueueLateToken), casts::one_leaves, Lock, NONE, "I7"),
        mutant(one(S::CarryQueue), casts::users_change, Lock, NONE, "I3"),
        mutant(one(S::KeepReplaced), casts::everybody, Lock, NONE, "I11"),
        carriers,
    ]
}
