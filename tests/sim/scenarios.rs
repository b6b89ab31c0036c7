//! The worlds that are searched: who takes part, on which server, with which faults.

use refresh_coordinator::protocol::ports::LockScope;
use refresh_coordinator::protocol::settings::Settings;

use super::script::{Action, Role};
use super::server::Kind;
use super::world::faults::Faults;
use super::world::{Channel, Scenario};

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

/// No fault.
pub const NONE: Faults = Faults {
    network: false,
    unavailable: false,
    crash: false,
    pause: false,
    write: false,
    read: false,
    stale: false,
    slow: false,
    jump: false,
    revoke: false,
    identity: false,
};

/// What may cost a session on some server, and writes that fail.
pub const ALL: Faults = Faults { network: true, crash: true, pause: true, write: true, ..NONE };

/// What must never cost one: the server is away, reads fail, are late or slow, clocks jump, revocations fail.
pub const HARMLESS: Faults =
    Faults { unavailable: true, read: true, stale: true, slow: true, jump: true, revoke: true, ..NONE };

/// Everything.
pub const EVERYTHING: Faults =
    Faults { network: true, crash: true, pause: true, write: true, identity: true, ..HARMLESS };

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
    Role { name, programs: vec![program.to_vec()], lock, settings, can_revoke: true, lag: 0, sid: Some("s0") }
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
        faults: NONE,
        budget: 0,
        channel: Channel::Lost,
        tombstones_expire: ending != Ending::None,
        successor_mode: false,
        life_left: 0,
        forgiving: true,
    }
}

/// A scenario of so many contexts in successor mode: each carries the same first token, and comes back with it.
pub fn successor(contexts: usize, calls: &[Action], server: Kind, lock: LockScope) -> Scenario {
    let scenario = session(contexts, calls, server, lock, Ending::None);
    Scenario { successor_mode: true, ..scenario }.named("successor mode")
}

/// Somebody in another tab does this meanwhile.
pub fn meanwhile(scenario: Scenario, actions: &[Action]) -> Scenario {
    let (lock, server) = (scenario.roles[0].lock, scenario.server);
    let mut next = scenario.named(&format!("{actions:?}"));
    next.roles.push(role('Z', lock, server, actions));
    next.tombstones_expire = !next.successor_mode;
    next
}

impl Scenario {
    /// The same with these faults, so many of them.
    pub fn with(self, faults: Faults, budget: u8) -> Self {
        Self { faults, budget, ..self }
    }

    /// The same with announcements that travel so.
    pub fn heard(self, channel: Channel) -> Self {
        let name = format!("{}, announcements {channel:?}", self.name);
        Self { channel, name, ..self }
    }

    /// The same with an access token that lives on for so many milliseconds.
    pub fn living(self, life_left: i64) -> Self {
        let name = format!("{}, access token valid for {life_left} ms", self.name);
        Self { life_left, name, ..self }
    }

    /// The same, with these calls beside its others in the first context.
    pub fn beside(mut self, calls: &[Action]) -> Self {
        self.roles[0].programs.push(calls.to_vec());
        self.named("two calls at once in one of them")
    }

    /// The same on a store that declares this lag, in milliseconds.
    pub fn lagging(mut self, lag: i64) -> Self {
        for role in &mut self.roles {
            role.lag = lag;
        }
        self.named("a store with a lag")
    }

    /// The same, but the contexts do not know yet whose session there is.
    pub fn strangers(mut self) -> Self {
        for role in &mut self.roles {
            role.sid = None;
        }
        self.named("strangers")
    }

    /// The same, with these words before its name.
    pub fn named(self, what: &str) -> Self {
        Self { name: format!("{what}, {}", self.name), ..self }
    }
}
