//! The worlds that are searched: who takes part, on which server, with which faults.

use refresh_coordinator::protocol::ports::LockScope;
use refresh_coordinator::protocol::settings::Settings;

use super::replay::{Action, Role};
use super::server::Kind;
use super::world::{Faults, Scenario};

/// The grace window of the servers that have one, in milliseconds.
pub const GRACE: i64 = 10_000;

pub const SERVERS: [Kind; 7] = [
    Kind::Strict,
    Kind::RefuseOnly,
    Kind::Grace(GRACE),
    Kind::GraceSibling(GRACE),
    Kind::GraceLatest(GRACE),
    Kind::NonRotating,
    Kind::Forking,
];

/// Locks that the host releases when their holder ends, or none: then the intent alone decides.
pub const LOCKS: [LockScope; 2] = [LockScope::Covering, LockScope::None];

/// Every kind of fault.
pub const ALL: Faults = Faults { network: true, crash: true, pause: true, write: true };

/// What else happens to the session, at any point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing.
    None,
    /// The user signs out in another tab.
    SignOut,
    /// The user signs out in another tab, and another user signs in there.
    Switch,
}

pub const ENDINGS: [Ending; 3] = [Ending::None, Ending::SignOut, Ending::Switch];

/// A context that runs these actions.
pub fn role(name: char, lock: LockScope, server: Kind, program: &[Action]) -> Role {
    let mut settings = Settings::default();
    if lock == LockScope::None {
        // Long enough to watch an intent to its end within one call.
        settings.lock_wait = 60_000;
    }
    if server.has_grace() {
        (settings.grace, settings.timeout) = (GRACE, 3_000);
    }
    Role { name, program: program.to_vec(), lock, settings, can_revoke: true, sid: Some("s0") }
}

/// A scenario of so many contexts in session mode, each with these calls.
pub fn session(contexts: usize, calls: &[Action], server: Kind, lock: LockScope, ending: Ending) -> Scenario {
    let names = ['A', 'B', 'C', 'D'];
    let mut roles: Vec<Role> = names.iter().take(contexts).map(|name| role(*name, lock, server, calls)).collect();
    match ending {
        Ending::None => {}
        Ending::SignOut => roles.push(role('Z', lock, server, &[Action::SignOut])),
        Ending::Switch => roles.push(role('Z', lock, server, &[Action::SignOut, Action::SignIn("v")])),
    }
    let how = if lock == LockScope::None { "lease" } else { "lock" };
    Scenario {
        name: format!("{contexts} contexts, {server:?}, {how}, {ending:?}"),
        roles,
        server,
        faults: Faults::default(),
        budget: 0,
        channel: false,
        tombstones_expire: ending != Ending::None,
        successor_mode: false,
    }
}

/// A scenario of so many contexts in successor mode: each carries the same first token, and comes back with it.
pub fn successor(contexts: usize, calls: &[Action], server: Kind, lock: LockScope) -> Scenario {
    let scenario = session(contexts, calls, server, lock, Ending::None);
    Scenario { name: format!("successor mode, {}", scenario.name), successor_mode: true, ..scenario }
}

impl Scenario {
    /// The same with these faults, so many of them.
    pub fn with(self, faults: Faults, budget: u8) -> Self {
        Self { faults, budget, ..self }
    }

    /// The same with announcements that everybody hears at once.
    pub fn heard(self) -> Self {
        Self { channel: true, ..self }
    }
}
